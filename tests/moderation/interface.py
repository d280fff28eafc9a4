"""The interface of moderation over real HTTP, with the words that come with it and a second person for each change."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from huiqun.runtime.clock import SystemClock
from huiqun.testing.http import ServedInterface, list_all_pages
from huiqun.testing.waiting import running_component
from huiqun.versions.api import FourEyesSetting
from huiqun.web import Role
from moderation.documents import INDEXES, SERVICE
from moderation.lexicon.handlers import import_shipped_lists
from tests.moderation.rig import ModerationRig
from tests.servers import new_database_name


@dataclass
class Interface:
    """A served interface, and the rig behind it, whose keeper is at work."""

    rig: ModerationRig
    served: ServedInterface
    mongo_url: str

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs in its environment to work on the same database."""
        return {
            "HUIQUN_MONGO_URL": self.mongo_url,
            "HUIQUN_DATABASE_PREFIX": self.rig.database.name.removesuffix(SERVICE),
        }

    async def ask(self, method: str, path: str, role: Role | None = "moderator", **options: Any) -> httpx.Response:
        """Send a request below /api/v1 as somebody with this role."""
        client = await self.served.client(*([role] if role else []))
        return await client.request(method, f"/api/v1{path}", **options)

    async def list_all(self, path: str, role: Role = "admin", **filters: str) -> list[dict[str, Any]]:
        """All items of a list below /api/v1, a few a page."""
        return await list_all_pages(await self.served.client(role), f"/api/v1{path}", 2, **filters)

    @contextmanager
    def without_four_eyes(self) -> Iterator[None]:
        """One pair of eyes is enough meanwhile, as a setting of the process can have it."""
        setting = self.served.app.state.provisions.get(FourEyesSetting)
        setting.required = False
        try:
            yield
        finally:
            setting.required = True

    async def key(self, role: Role) -> str:
        """The API key of somebody with this role."""
        return str((await self.served.client(role)).headers["X-API-Key"])

    async def audited(self, subject: str) -> list[str]:
        """The actions that the audit log has of a subject, oldest first."""
        return [entry["action"] for entry in await self.rig.documents("audit_log", subject=subject)]


@asynccontextmanager
async def serve_interface(mongo_url: str) -> AsyncIterator[Interface]:
    """Serve all routes of moderation over a database of their own, on the time of the machine."""
    name = f"{new_database_name()}_{SERVICE}"
    async with ModerationRig.open(mongo_url, name, INDEXES, clock=SystemClock()) as rig:
        await import_shipped_lists(rig.reader, rig.transactor)
        await rig.keeper.refresh()
        async with running_component(rig.keeper):
            yield Interface(rig, await rig.interface(), mongo_url)


def kind_of(answer: httpx.Response) -> tuple[int, str]:
    """The status and kind of a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


async def together(*requests: Any) -> list[httpx.Response]:
    """Send requests at the same time."""
    return list(await asyncio.gather(*requests))

"""The people who work on incidents over the interface, in groups whose channel does at once what it is asked for.

The fixtures are imported by the conftest.py of each slice that they are for.
"""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest_asyncio

from huiqun.web import create_api_key
from tests.moderation.rig import ModerationRig


@dataclass(frozen=True)
class Caller:
    """Somebody who asks the interface, and goes by `id` in the audit log."""

    http: httpx.AsyncClient

    @property
    def id(self) -> str:
        return f"key:{self.http.headers['X-API-Key'].split('_')[1]}"

    async def get(self, path: str, status: int = 200, **query: Any) -> Any:
        answer = await self.http.get(f"/api/v1/{path}", params=query)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def send(
        self, method: str, path: str, body: Any = None, *, status: int = 200, seen: str | int | None = None
    ) -> Any:
        headers = {} if seen is None else {"If-Match": seen if seen == "*" else f'"{seen}"'}
        answer = await self.http.request(method, f"/api/v1/{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return await self.send("POST", path, body, **options)

    async def put(self, path: str, body: Any = None, **options: Any) -> Any:
        return await self.send("PUT", path, body, **options)


@pytest_asyncio.fixture
async def rig(one_rig: ModerationRig) -> ModerationRig:
    await one_rig.start_over()
    one_rig.follows_actions = True
    return one_rig


@pytest_asyncio.fixture
async def admin(rig: ModerationRig) -> Caller:
    return Caller(await rig.http("admin"))


@pytest_asyncio.fixture
async def approver(rig: ModerationRig) -> Caller:
    """Another admin, who writes no plans."""
    key = await create_api_key(rig.reader, "another admin", ["admin"])
    return Caller(await (await rig.interface()).open_client({"X-API-Key": key}))


@pytest_asyncio.fixture
async def moderator(rig: ModerationRig) -> Caller:
    return Caller(await rig.http("moderator"))


@pytest_asyncio.fixture
async def auditor(rig: ModerationRig) -> Caller:
    return Caller(await rig.http("auditor"))

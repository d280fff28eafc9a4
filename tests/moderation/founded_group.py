"""A group with an owner, under the policy that comes with Huiqun, and the people who ask the interface about it."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest_asyncio

from huiqun.web import Role
from tests.moderation.rig import ModerationRig


@pytest_asyncio.fixture
async def rig(one_rig: ModerationRig) -> ModerationRig:
    await one_rig.found_group()
    return one_rig


@dataclass
class Service:
    """People who ask the interface: `http` is somebody without a key."""

    rig: ModerationRig
    http: httpx.AsyncClient
    clients: dict[Role, httpx.AsyncClient]

    async def get(self, path: str, role: Role = "viewer", **parameters: Any) -> httpx.Response:
        return await self.clients[role].get(path, params=parameters)

    async def post(
        self, path: str, body: Any = None, role: Role = "moderator", *, seen: str | None = None, key: str | None = None
    ) -> httpx.Response:
        headers = {name: value for name, value in (("Idempotency-Key", key), ("If-Match", seen)) if value is not None}
        return await self.clients[role].post(path, json=body, headers=headers)

    async def only_case(self, **query: Any) -> str:
        """The path of the only case."""
        [case] = await self.rig.cases(**query)
        return f"/api/v1/cases/{case.id}"


@pytest_asyncio.fixture
async def service(rig: ModerationRig) -> Service:
    roles: tuple[Role, ...] = ("viewer", "operator", "moderator", "auditor")
    return Service(rig, await rig.http(), {role: await rig.http(role) for role in roles})

"""What happens in groups while there are incidents, and the people who work on these over the interface."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from huiqun.contracts.channel import Action, Role
from huiqun.contracts.moderation import MessageScreened
from huiqun.testing.events import NATIVE, group_created
from huiqun.web.principals import Principal
from tests.moderation.rig import OWNER, ModerationRig

MODERATOR = Principal("moderator", "moderator", frozenset({"moderator"}))


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


async def create(rig: ModerationRig, *groups: str, owner: str | None = OWNER) -> None:
    """The channel tells of groups."""
    now = rig.clock.moment
    await rig.deliver(*(group_created(group, now, name=group, owner=owner, capabilities=NATIVE) for group in groups))


async def judged(
    rig: ModerationRig,
    group: str,
    text: str = "请问今天几点开门",
    *,
    member: str = "u1",
    role: Role = Role.CUSTOMER,
    mentions: Sequence[str] = (),
) -> MessageScreened:
    """Somebody writes in a group under the rules that are in force now; returns how it was judged."""
    await rig.keeper.refresh()
    message_id = await rig.say(text, member, group=group, role=role, mentions=tuple(mentions))
    (screened,) = [event for event in rig.emitted(MessageScreened) if event.data.message_id == message_id]
    return screened


def asked(rig: ModerationRig, group: str) -> list[Action]:
    """What was asked of the channel in a group."""
    return [action for action in rig.actions() if action.group_id == group]


async def mode_of(rig: ModerationRig, group: str) -> str:
    """The mode that screening knows of."""
    document = await rig.database["groups"].find_one({"_id": group}) or {}
    until = document.get("mode_until")
    return str(document["mode"]) if until is not None and until > rig.clock.moment else "normal"


async def pending(rig: ModerationRig) -> list[str]:
    """The kinds of tasks of incidents that wait."""
    return [task["kind"] for task in await rig.documents("tasks", kind={"$regex": r"^incidents\."})]


async def audited(rig: ModerationRig) -> list[str]:
    """What the audit log says was done."""
    return [entry["action"] for entry in await rig.documents("audit_log")]

"""What happens in groups while there are incidents: what is written, opened, closed, asked of the channel."""

from collections.abc import Sequence
from typing import Any

from huiqun.contracts.channel import Action, Role
from huiqun.contracts.moderation import MessageScreened
from huiqun.testing.events import NATIVE, group_created
from huiqun.web.principals import Principal
from tests.moderation.incidents.people import Caller
from tests.moderation.rig import OWNER, ModerationRig

MODERATOR = Principal("moderator", "moderator", frozenset({"moderator"}))
REVIEW = {"what_happened": "一名客户误发他人证件照片。", "cause": "未说明发送渠道。"}


async def create_groups(rig: ModerationRig, *groups: str, owner: str | None = OWNER) -> None:
    """The channel tells of groups."""
    now = rig.clock.moment
    await rig.deliver(*(group_created(group, now, name=group, owner=owner, capabilities=NATIVE) for group in groups))


async def judge_message(
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


def actions_in(rig: ModerationRig, group: str) -> list[Action]:
    """What was asked of the channel in a group."""
    return [action for action in rig.actions() if action.group_id == group]


async def mode_in_screening(rig: ModerationRig, group: str) -> str:
    """The mode that screening knows of."""
    document = await rig.database["groups"].find_one({"_id": group}) or {}
    until = document.get("mode_until")
    return str(document["mode"]) if until is not None and until > rig.clock.moment else "normal"


async def pending_task_kinds(rig: ModerationRig) -> list[str]:
    """The kinds of tasks of incidents that wait."""
    return [task["kind"] for task in await rig.documents("tasks", kind={"$regex": r"^incidents\."})]


async def audited_actions(rig: ModerationRig) -> list[str]:
    """What the audit log says was done."""
    return [entry["action"] for entry in await rig.documents("audit_log")]


async def open_incident(caller: Caller, kind: str = "attack", groups: tuple[str, ...] = ("g1",), **fields: Any) -> str:
    """Open an incident; returns its id."""
    incident = await caller.post("incidents", {"kind": kind, "groups": list(groups), **fields}, status=201)
    return str(incident["id"])


async def close_incident(caller: Caller, incident: str, **review: Any) -> dict[str, Any]:
    """Contain an incident and close it; returns it as it is then."""
    await caller.post(f"incidents/{incident}/containment", seen="*")
    closed: dict[str, Any] = await caller.post(f"incidents/{incident}/closure", {**REVIEW, **review}, seen="*")
    return closed


async def timeline_kinds(caller: Caller, incident: str) -> list[str]:
    """The kinds of the entries of a timeline, in their order."""
    return [entry["what"] for entry in (await caller.get(f"incidents/{incident}/timeline"))["items"]]

"""Conflicts are taken up in the group, in private, or in a group of their own; the case stays to be decided."""

import pytest

from huiqun.audit import verify_audit_log
from huiqun.contracts.channel import Role
from huiqun.contracts.moderation import CaseOutcome
from moderation.cases.handlers.mediating import NobodyToTalkToError, mediate_case
from moderation.cases.model import Case, CaseClosedError, CaseHeldError
from moderation.cases.model.mediation import Mediation, Where
from tests.moderation.rig import ANNA, BO, DOUBTFUL, OWNER, ModerationRig

PRIVATE, SEPARATE = Where.PRIVATE, Where.SEPARATE_GROUP


async def a_case(rig: ModerationRig) -> Case:
    await rig.say(DOUBTFUL)
    [case] = await rig.cases()
    return case


async def mediate(rig: ModerationRig, case: Case, mediation: Mediation) -> Case:
    return await rig.run(lambda work: mediate_case(work, case.id, mediation, ANNA))


async def asked_for(rig: ModerationRig) -> list[tuple[str, str | None]]:
    """What was asked of the channel, and for whom or of whom."""
    return [
        (each["kind"], each.get("assignee") or each["target"]["member_id"]) for each in await rig.documents("actions")
    ]


async def test_a_simple_conflict_is_settled_with_a_word_in_the_group(rig: ModerationRig) -> None:
    case = await a_case(rig)
    await mediate(rig, case, Mediation(Where.GROUP, "请大家就事论事。"))
    [action] = await rig.documents("actions")
    assert (action["kind"], action["content"]) == ("send_message", "请大家就事论事。")


async def test_a_complex_one_is_talked_over_in_private_by_the_owner(rig: ModerationRig) -> None:
    case = await a_case(rig)
    await mediate(rig, case, Mediation(PRIVATE, others=("u2", "u1")))
    assert await asked_for(rig) == [("send_private", "u1"), ("send_private", "u2"), ("notify_staff", OWNER)]
    [*_, task] = await rig.documents("actions")
    assert "{member:u1}、{member:u2}" in task["content"]
    assert case.id in task["content"]


async def test_a_colleague_can_be_asked_to_open_a_group_of_their_own(rig: ModerationRig) -> None:
    await mediate(rig, await a_case(rig), Mediation(SEPARATE, assignee="staff-7"))
    assert await asked_for(rig) == [("send_private", "u1"), ("notify_staff", "staff-7")]


async def test_the_case_remembers_it_and_is_still_to_be_decided(rig: ModerationRig) -> None:
    case = await mediate(rig, await a_case(rig), Mediation(PRIVATE, "请回电 13812345678"))
    entry = case.history[-1]
    assert (entry.what, entry.by, entry.note) == ("mediated_private", ANNA.id, "请回电 138****5678")
    assert case.version == 2
    assert (await rig.decide(case.id, CaseOutcome.REVERSED)).closed_at is not None
    assert (await verify_audit_log(rig.reader)).intact


async def test_nobody_else_than_who_holds_a_case_takes_it_up_and_nobody_once_it_is_decided(rig: ModerationRig) -> None:
    case = await a_case(rig)
    await rig.claim(case.id, BO)
    with pytest.raises(CaseHeldError):
        await mediate(rig, case, Mediation(PRIVATE))
    await rig.decide(case.id, CaseOutcome.REVERSED, BO)
    with pytest.raises(CaseClosedError):
        await mediate(rig, case, Mediation(PRIVATE))
    assert await rig.documents("actions") == []


async def test_staff_are_spoken_to_as_colleagues(rig: ModerationRig) -> None:
    message_id = await rig.say(DOUBTFUL, "staff-3", role=Role.STAFF)
    await rig.say("举报", "u2", reply_to=message_id)
    [case] = await rig.cases()
    with pytest.raises(NobodyToTalkToError):
        await mediate(rig, case, Mediation(PRIVATE))

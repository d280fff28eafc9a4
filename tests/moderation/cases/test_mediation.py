"""Conflicts are taken up in the group, in private, or in a group of their own; the case stays to be decided."""

import pytest

from huiqun.audit import verify
from huiqun.contracts.channel import Role
from huiqun.contracts.moderation import CaseOutcome
from moderation.cases.handlers.mediating import NobodyToTalkToError, mediate_case
from moderation.cases.model import Case, CaseClosedError, CaseHeldError
from moderation.cases.model.mediation import Mediation, Where
from tests.moderation.desk import ANNA, BO, DOUBTFUL, OWNER, Desk

PRIVATE, SEPARATE = Where.PRIVATE, Where.SEPARATE_GROUP


async def a_case(desk: Desk) -> Case:
    await desk.say(DOUBTFUL)
    [case] = await desk.cases()
    return case


async def mediate(desk: Desk, case: Case, mediation: Mediation) -> Case:
    return await desk.work(lambda work: mediate_case(work, case.id, mediation, ANNA))


async def asked_for(desk: Desk) -> list[tuple[str, str | None]]:
    """What was asked of the channel, and for whom or of whom."""
    return [(each["kind"], each.get("assignee") or each["target"]["member_id"]) for each in await desk.actions()]


async def test_a_simple_conflict_is_settled_with_a_word_in_the_group(desk: Desk) -> None:
    case = await a_case(desk)
    await mediate(desk, case, Mediation(Where.GROUP, "请大家就事论事。"))
    [action] = await desk.actions()
    assert (action["kind"], action["content"]) == ("send_message", "请大家就事论事。")


async def test_a_complex_one_is_talked_over_in_private_by_the_owner(desk: Desk) -> None:
    case = await a_case(desk)
    await mediate(desk, case, Mediation(PRIVATE, others=("u2", "u1")))
    assert await asked_for(desk) == [("send_private", "u1"), ("send_private", "u2"), ("notify_staff", OWNER)]
    [*_, task] = await desk.actions()
    assert "{member:u1}、{member:u2}" in task["content"]
    assert case.id in task["content"]


async def test_a_colleague_can_be_asked_to_open_a_group_of_their_own(desk: Desk) -> None:
    await mediate(desk, await a_case(desk), Mediation(SEPARATE, assignee="staff-7"))
    assert await asked_for(desk) == [("send_private", "u1"), ("notify_staff", "staff-7")]


async def test_the_case_remembers_it_and_is_still_to_be_decided(desk: Desk) -> None:
    case = await mediate(desk, await a_case(desk), Mediation(PRIVATE, "请回电 13812345678"))
    entry = case.history[-1]
    assert (entry.what, entry.by, entry.note) == ("mediated_private", ANNA.id, "请回电 138****5678")
    assert case.version == 2
    assert (await desk.decide(case.id, CaseOutcome.REVERSED)).closed_at is not None
    assert (await verify(desk.inlet.reader)).intact


async def test_nobody_else_than_who_holds_a_case_takes_it_up_and_nobody_once_it_is_decided(desk: Desk) -> None:
    case = await a_case(desk)
    await desk.claim(case.id, BO)
    with pytest.raises(CaseHeldError):
        await mediate(desk, case, Mediation(PRIVATE))
    await desk.decide(case.id, CaseOutcome.REVERSED, BO)
    with pytest.raises(CaseClosedError):
        await mediate(desk, case, Mediation(PRIVATE))
    assert await desk.actions() == []


async def test_staff_are_spoken_to_as_colleagues(desk: Desk) -> None:
    message_id = await desk.say(DOUBTFUL, "staff-3", role=Role.STAFF)
    await desk.say("举报", "u2", reply_to=message_id)
    [case] = await desk.cases()
    with pytest.raises(NobodyToTalkToError):
        await mediate(desk, case, Mediation(PRIVATE))

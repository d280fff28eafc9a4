"""What could not be read was judged by nobody: one question for each group, however much of it there is."""

from itertools import count

import pytest

from huiqun.contracts.moderation import CaseOpened, CaseOutcome
from huiqun.stream.unreadable import UnreadablePayload, UnreadableRecord
from huiqun.testing.events import NOON
from moderation.cases.handlers.following import NoProposalError
from moderation.cases.model import State
from tests.moderation.rig import OWNER, ModerationRig

_places = count(1)


def unreadable(group: str = "g1", member: str | None = "u1", *, names_group: bool = True) -> UnreadableRecord:
    """A record of its own that is no event."""
    number = next(_places)
    data = UnreadablePayload(
        group_id=group,
        names_group=names_group,
        member_id=member,
        message_id=f"m{number}" if member else None,
        reason="data.text: Input should be a valid string",
    )
    place = f"channel.messages.v1~0~{number}"
    return UnreadableRecord.create(group, data, time=NOON).model_copy(update={"id": place})


async def test_a_flood_of_bad_records_is_one_case_with_a_count(rig: ModerationRig) -> None:
    records = [unreadable() for _ in range(300)]
    for start in range(0, 300, 100):
        await rig.deliver(*records[start : start + 100])
    await rig.deliver(*records)
    [case] = await rig.cases()
    assert (case.kind, case.category, case.count, case.state) == ("unreadable", "unreadable", 300, State.OPEN)
    assert (case.group_id, case.member_id, case.message_id) == ("g1", "u1", records[0].data.message_id)
    assert "未经审核" in case.text
    assert len(case.history) <= 100
    assert len(rig.data_of(CaseOpened)) == 1


async def test_members_of_one_group_share_a_case_and_groups_do_not(rig: ModerationRig) -> None:
    await rig.deliver(*[unreadable(member=f"u{n}") for n in range(50)] + [unreadable("g2") for _ in range(2)])
    assert {case.group_id: case.count for case in await rig.cases()} == {"g1": 50, "g2": 2}


async def test_a_record_that_names_no_group_counts_where_its_key_is_a_group_that_is_known(rig: ModerationRig) -> None:
    await rig.deliver(*[unreadable(group, None, names_group=False) for group in ("g1", "made-up")])
    [case] = await rig.cases()
    assert (case.group_id, case.member_id, case.message_id) == ("g1", "unknown", "unknown")


@pytest.mark.parametrize("outcome", [CaseOutcome.UPHELD, CaseOutcome.REVERSED])
async def test_whatever_is_decided_nobody_is_sanctioned_for_what_nobody_could_read(
    rig: ModerationRig, outcome: CaseOutcome
) -> None:
    message_id = await rig.offend(1)
    before = await rig.documents("actions")
    event = unreadable()
    await rig.deliver(event)
    [case] = await rig.cases(kind="unreadable")
    await rig.decide(case.id, outcome)
    assert await rig.documents("actions") == before
    assert (await rig.standing()).strike_of(message_id) is not None
    assert await rig.documents("examples") == []
    await rig.deliver(unreadable())
    with pytest.raises(NoProposalError):
        await rig.decide(case.id, CaseOutcome.DECLINED)


async def test_what_cannot_be_read_after_a_decision_is_another_question(rig: ModerationRig) -> None:
    await rig.deliver(unreadable(), unreadable())
    [case] = await rig.cases()
    await rig.decide(case.id, CaseOutcome.REVERSED)
    await rig.deliver(unreadable(member="u2"))
    [again] = await rig.cases()
    assert (again.id, again.state, again.count, again.member_id) == (case.id, State.OPEN, 1, "u2")
    assert [entry.what for entry in again.history][-1] == "reopened"
    assert again.version > case.version


async def test_who_looks_into_it_need_not_look_again_because_more_has_come(rig: ModerationRig) -> None:
    await rig.deliver(unreadable())
    [case] = await rig.cases()
    await rig.deliver(*[unreadable() for _ in range(5)])
    [more] = await rig.cases()
    assert (more.count, more.version) == (6, case.version)


async def test_the_owner_of_the_group_is_reminded_in_words(rig: ModerationRig) -> None:
    await rig.deliver(unreadable())
    [case] = await rig.cases()
    await rig.run_due(case.due_at - rig.clock.moment)
    [reminder] = await rig.documents("actions", kind="notify_staff")
    assert (reminder["assignee"], "无法读取的消息" in reminder["content"]) == (OWNER, True)

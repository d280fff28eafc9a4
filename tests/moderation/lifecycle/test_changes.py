"""Edits and recalls: bound to their message, group and author, and in any order the same."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huiqun.contracts.channel import (
    EditedMessage,
    Member,
    MemberJoined,
    MessageEdited,
    MessageRecalled,
    MessageReceived,
    Recall,
    Role,
)
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import CaseOutcome, JudgedMessageRecalled, Verdict
from moderation.archive.model import RevisionKey
from moderation.lifecycle import store
from tests.moderation.desk import BAD, DOUBTFUL, FINE, OWNER, Desk

OPEN = {"$in": ["requested", "assigned"]}
ELSEWHERE = "wecom/another"


def edited(original: MessageReceived, text: str, revision: int = 1, by: str | None = None) -> MessageEdited:
    """The message with another text, by its author or somebody else."""
    fields = original.data.model_dump(exclude={"text"})
    if by is not None:
        fields["sender"] = {"member_id": by}
    data = EditedMessage(**fields, text=text, revision=revision)
    return MessageEdited.about(data.group_id, data, time=original.time)


def recalled(original: MessageReceived, by: str = "u1", group: str | None = None) -> MessageRecalled:
    """The message withdrawn."""
    group = group or original.data.group_id
    data = Recall(message_id=original.data.message_id, group_id=group, recalled_by=by)
    return MessageRecalled.about(group, data, time=original.time)


async def archived(desk: Desk) -> dict[RevisionKey, dict[str, Any]]:
    return {RevisionKey.parse(key): each for key, each in (await desk.inlet.documents("messages")).items()}


async def recalls(desk: Desk) -> dict[str, str]:
    """Who has withdrawn what."""
    return {
        f"{key.group_id}/{key.message_id}": each["recalled_by"]
        for key, each in (await archived(desk)).items()
        if "recalled_by" in each
    }


async def deletions(desk: Desk, **query: Any) -> list[str]:
    """The messages that are still to be deleted."""
    found = await desk.actions(kind="delete_message", state=OPEN, **query)
    return [each["target"]["message_id"] for each in found]


async def test_the_same_id_in_another_group_or_from_another_source_is_another_message(desk: Desk) -> None:
    here = desk.message(BAD)
    there = MessageReceived.about("g2", here.data.model_copy(update={"group_id": "g2"}), time=here.time)
    other = here.model_copy(update={"source": ELSEWHERE, "id": "another"})
    assert await desk.inlet.refusals_of([here, there, other]) == []
    assert {(key.group_id, key.channel) for key in await archived(desk)} == {
        ("g1", "channel"),
        ("g2", "channel"),
        ("g1", ELSEWHERE),
    }
    assert {each["verdict"] for each in (await archived(desk)).values()} == {"block"}


async def test_an_id_that_two_sources_use_stands_for_two_events(desk: Desk) -> None:
    first, second = desk.message(FINE), desk.message(FINE)
    known = [MemberJoined.about("g1", Member(group_id="g1", member_id=name), time=first.time) for name in ("a", "b")]
    same = [known[0], known[1].model_copy(update={"id": known[0].id, "source": ELSEWHERE})]
    await desk.inlet.deliver([*same, first, second])
    assert {"g1/a", "g1/b"} <= set(await desk.inlet.members())


async def test_nobody_withdraws_what_another_has_written(desk: Desk) -> None:
    message = desk.message(BAD)
    await desk.inlet.deliver([message])
    [refused] = await desk.inlet.refusals_of([recalled(message, "u2")])
    assert "no staff" in refused
    assert await recalls(desk) == {}
    assert await deletions(desk) == [message.data.message_id]


@pytest.mark.parametrize("group", ["g2", "g1-a"])
async def test_a_recall_or_an_edit_in_one_group_does_nothing_in_another(desk: Desk, group: str) -> None:
    message = desk.message(BAD)
    foreign = edited(message, FINE)
    elsewhere = MessageEdited.about(group, foreign.data.model_copy(update={"group_id": group}), time=message.time)
    await desk.inlet.deliver([message])
    assert await desk.inlet.refusals_of([recalled(message, group=group), elsewhere]) == []
    assert await recalls(desk) == {}
    assert await deletions(desk) == [message.data.message_id]


async def test_a_recall_from_another_source_does_nothing(desk: Desk) -> None:
    message = desk.message(BAD)
    await desk.inlet.deliver([message, recalled(message).model_copy(update={"source": ELSEWHERE})])
    assert await recalls(desk) == {}


async def test_who_writes_owns_and_staff_withdraw_and_who_was_staff_does_not(desk: Desk) -> None:
    joined = Member(group_id="g1", member_id="anna", role=Role.STAFF)
    messages = [desk.message(BAD) for _ in range(4)]
    await desk.inlet.deliver([MemberJoined.about("g1", joined, time=messages[0].time), *messages])
    withdrawn = [recalled(message, by) for message, by in zip(messages, ("u1", OWNER, "anna", "u2"), strict=True)]
    assert len(await desk.inlet.refusals_of(withdrawn)) == 1
    assert sorted((await recalls(desk)).values()) == sorted(["u1", OWNER, "anna"])


@pytest.mark.parametrize("order", [[0, 1], [1, 0]], ids=["after", "before"])
@pytest.mark.parametrize("apart", [True, False])
async def test_a_recall_is_announced_once_whenever_it_comes(desk: Desk, order: list[int], apart: bool) -> None:
    message = desk.message(BAD).model_copy(update={"source": ELSEWHERE})
    told = [message, recalled(message).model_copy(update={"source": ELSEWHERE})]
    told = [told[number] for number in order]
    for batch in [[each] for each in told] if apart else [told]:
        await desk.inlet.deliver(batch)
    await desk.inlet.deliver([recalled(message).model_copy(update={"source": ELSEWHERE})])
    [announced] = await desk.events(JudgedMessageRecalled)
    assert (announced.channel, announced.message_id, announced.group_id) == (ELSEWHERE, message.data.message_id, "g1")
    assert (announced.member_id, announced.recalled_by, announced.verdict) == ("u1", "u1", Verdict.BLOCK)


async def test_a_recall_that_does_not_count_is_not_announced(desk: Desk) -> None:
    message = desk.message(BAD)
    await desk.inlet.deliver([message, recalled(message, "u2"), recalled(message, group="g2")])
    assert await desk.events(JudgedMessageRecalled) == []


@pytest.mark.parametrize("apart", [True, False])
async def test_nobody_edits_what_another_has_written(desk: Desk, apart: bool) -> None:
    message = desk.message(FINE)
    forged = edited(message, BAD, by="u2")
    if apart:
        await desk.inlet.deliver([message])
    [refused] = await desk.inlet.refusals_of([forged] if apart else [message, forged])
    assert "not written" in refused
    assert [key.revision for key in await archived(desk)] == [0]
    assert await desk.actions() == []


@pytest.mark.parametrize("apart", [True, False])
async def test_a_forged_edit_that_comes_first_stops_neither_the_message_nor_its_judgement(
    desk: Desk, apart: bool
) -> None:
    message = desk.message(BAD)
    events: list[Event] = [edited(message, FINE, by="u2"), recalled(message, "u2"), message]
    for batch in [[each] for each in events] if apart else [events]:
        await desk.inlet.deliver(batch)
    assert await recalls(desk) == {}
    assert await deletions(desk) == [message.data.message_id]
    assert (await desk.standing()).strike_of(message.data.message_id) is not None


@pytest.mark.parametrize("by", ["u1", OWNER])
async def test_a_recall_that_comes_before_its_message_is_remembered(desk: Desk, by: str) -> None:
    message = desk.message(BAD)
    await desk.inlet.deliver([recalled(message, "u2")])
    await desk.inlet.deliver([recalled(message, by)])
    await desk.inlet.deliver([message])
    assert await recalls(desk) == {f"g1/{message.data.message_id}": by}
    assert await desk.actions(kind="delete_message") == []
    assert (await desk.standing()).strike_of(message.data.message_id) is not None, "an offence it was all the same"
    assert await desk.inlet.documents(store.EARLY) == {}


async def test_what_comes_before_its_message_is_remembered_for_so_many_messages_of_a_group(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_EARLY", 3)
    messages = [desk.message(FINE) for _ in range(8)]
    refused = await desk.inlet.refusals_of([recalled(message) for message in messages[:2]])
    refused += await desk.inlet.refusals_of([edited(message, BAD) for message in messages[2:4]])
    for message in messages[4:]:
        refused += await desk.inlet.refusals_of([recalled(message)])
    assert len(refused) == 4
    assert len(await desk.inlet.documents(store.EARLY)) <= 4
    assert len(await archived(desk)) == 2, "whatever is not remembered, an edit is judged"


async def test_a_message_that_was_withdrawn_is_not_deleted_when_its_case_is_upheld(desk: Desk) -> None:
    message = desk.message(DOUBTFUL)
    await desk.inlet.deliver([message, recalled(message)])
    [case] = await desk.cases()
    await desk.decide(case.id, CaseOutcome.UPHELD)
    assert await desk.actions(kind="delete_message") == []
    assert (await desk.standing()).strike_of(message.data.message_id) is not None


async def test_a_report_and_an_appeal_are_about_the_message_of_their_own_group(desk: Desk) -> None:
    here = desk.message(FINE, "u1")
    there = here.data.model_copy(update={"group_id": "g2", "text": BAD})
    await desk.inlet.deliver([here, MessageReceived.about("g2", there, time=here.time)])
    await desk.say("举报", "u2", reply_to=here.data.message_id)
    await desk.say("举报", "u3", reply_to=here.data.message_id)
    [report] = await desk.cases(kind="report")
    assert (report.group_id, report.text) == ("g1", FINE)


ORDINARY = st.permutations(["received", "edited 1", "edited 2", "edited 3", "recalled"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=ORDINARY,
    told=st.sets(st.sampled_from(["edited 1", "edited 2", "edited 3", "recalled"])),
    texts=st.lists(st.sampled_from([BAD, FINE]), min_size=4, max_size=4),
    data=st.data(),
)
async def test_in_whatever_order_a_message_and_its_changes_come_the_outcome_is_the_same(
    desk: Desk, order: list[str], told: set[str], texts: list[str], data: st.DataObject
) -> None:
    stories = []
    for names in (["received", "edited 1", "edited 2", "edited 3", "recalled"], order):
        await desk.tidy()
        message = desk.message(texts[0])
        events: dict[str, Event] = {"received": message, "recalled": recalled(message)}
        events |= {f"edited {n}": edited(message, texts[n], n) for n in (1, 2, 3)}
        sent = [events[name] for name in names if name == "received" or name in told]
        while sent:
            size = data.draw(st.integers(1, len(sent)))
            batch, sent = sent[:size], sent[size:]
            assert await desk.inlet.refusals_of(batch + batch[:1]) == []
        stories.append(await story(desk, message.data.message_id))
    assert stories[0] == stories[1]
    assert stories[0]["early"] == {}


async def story(desk: Desk, message_id: str) -> dict[str, Any]:
    """What there is in the end."""
    standing = await desk.standing()
    return {
        "archived": {key.revision: (each["verdict"], each["text"]) for key, each in (await archived(desk)).items()},
        "recalled": sorted((await recalls(desk)).values()),
        "counted": (standing.counted, len(standing.recent)),
        "struck": standing.strike_of(message_id) is not None,
        "to be deleted": bool(await deletions(desk)),
        "early": await desk.inlet.documents(store.EARLY),
    }

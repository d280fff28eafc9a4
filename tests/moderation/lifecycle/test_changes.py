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
from tests.moderation.rig import BAD, DOUBTFUL, FINE, OWNER, ModerationRig

OPEN = {"$in": ["requested", "assigned"]}
ELSEWHERE = "wecom/another"


def edited(original: MessageReceived, text: str, revision: int = 1, by: str | None = None) -> MessageEdited:
    """The message with another text, by its author or somebody else."""
    fields = original.data.model_dump(exclude={"text"})
    if by is not None:
        fields["sender"] = {"member_id": by}
    data = EditedMessage(**fields, text=text, revision=revision)
    return MessageEdited.create(data.group_id, data, time=original.time)


def recalled(original: MessageReceived, by: str = "u1", group: str | None = None) -> MessageRecalled:
    """The message withdrawn."""
    group = group or original.data.group_id
    data = Recall(message_id=original.data.message_id, group_id=group, recalled_by=by)
    return MessageRecalled.create(group, data, time=original.time)


async def archived(rig: ModerationRig) -> dict[RevisionKey, dict[str, Any]]:
    return {RevisionKey.parse(each["_id"]): each for each in await rig.documents("messages")}


async def recalls(rig: ModerationRig) -> dict[str, str]:
    """Who has withdrawn what."""
    return {
        f"{key.group_id}/{key.message_id}": each["recalled_by"]
        for key, each in (await archived(rig)).items()
        if "recalled_by" in each
    }


async def deletions(rig: ModerationRig, **query: Any) -> list[str]:
    """The messages that are still to be deleted."""
    found = await rig.documents("actions", kind="delete_message", state=OPEN, **query)
    return [each["target"]["message_id"] for each in found]


async def test_the_same_id_in_another_group_or_from_another_source_is_another_message(rig: ModerationRig) -> None:
    here = rig.message(BAD)
    there = MessageReceived.create("g2", here.data.model_copy(update={"group_id": "g2"}), time=here.time)
    other = here.model_copy(update={"source": ELSEWHERE, "id": "another"})
    assert await rig.deliver_refused(here, there, other) == []
    assert {(key.group_id, key.channel) for key in await archived(rig)} == {
        ("g1", "channel"),
        ("g2", "channel"),
        ("g1", ELSEWHERE),
    }
    assert {each["verdict"] for each in (await archived(rig)).values()} == {"block"}


async def test_an_id_that_two_sources_use_stands_for_two_events(rig: ModerationRig) -> None:
    first, second = rig.message(FINE), rig.message(FINE)
    known = [MemberJoined.create("g1", Member(group_id="g1", member_id=name), time=first.time) for name in ("a", "b")]
    same = [known[0], known[1].model_copy(update={"id": known[0].id, "source": ELSEWHERE})]
    await rig.deliver(*same, first, second)
    assert {"g1/a", "g1/b"} <= set(await rig.members())


async def test_nobody_withdraws_what_another_has_written(rig: ModerationRig) -> None:
    message = rig.message(BAD)
    await rig.deliver(message)
    [refused] = await rig.deliver_refused(recalled(message, "u2"))
    assert "no staff" in refused
    assert await recalls(rig) == {}
    assert await deletions(rig) == [message.data.message_id]


@pytest.mark.parametrize("group", ["g2", "g1-a"])
async def test_a_recall_or_an_edit_in_one_group_does_nothing_in_another(rig: ModerationRig, group: str) -> None:
    message = rig.message(BAD)
    foreign = edited(message, FINE)
    elsewhere = MessageEdited.create(group, foreign.data.model_copy(update={"group_id": group}), time=message.time)
    await rig.deliver(message)
    assert await rig.deliver_refused(recalled(message, group=group), elsewhere) == []
    assert await recalls(rig) == {}
    assert await deletions(rig) == [message.data.message_id]


async def test_a_recall_from_another_source_does_nothing(rig: ModerationRig) -> None:
    message = rig.message(BAD)
    await rig.deliver(message, recalled(message).model_copy(update={"source": ELSEWHERE}))
    assert await recalls(rig) == {}


async def test_who_writes_owns_and_staff_withdraw_and_who_was_staff_does_not(rig: ModerationRig) -> None:
    joined = Member(group_id="g1", member_id="anna", role=Role.STAFF)
    messages = [rig.message(BAD) for _ in range(4)]
    await rig.deliver(MemberJoined.create("g1", joined, time=messages[0].time), *messages)
    withdrawn = [recalled(message, by) for message, by in zip(messages, ("u1", OWNER, "anna", "u2"), strict=True)]
    assert len(await rig.deliver_refused(*withdrawn)) == 1
    assert sorted((await recalls(rig)).values()) == sorted(["u1", OWNER, "anna"])


@pytest.mark.parametrize("order", [[0, 1], [1, 0]], ids=["after", "before"])
@pytest.mark.parametrize("apart", [True, False])
async def test_a_recall_is_announced_once_whenever_it_comes(rig: ModerationRig, order: list[int], apart: bool) -> None:
    message = rig.message(BAD).model_copy(update={"source": ELSEWHERE})
    told = [message, recalled(message).model_copy(update={"source": ELSEWHERE})]
    told = [told[number] for number in order]
    for batch in [[each] for each in told] if apart else [told]:
        await rig.deliver(*batch)
    await rig.deliver(recalled(message).model_copy(update={"source": ELSEWHERE}))
    [announced] = rig.data_of(JudgedMessageRecalled)
    assert (announced.channel, announced.message_id, announced.group_id) == (ELSEWHERE, message.data.message_id, "g1")
    assert (announced.member_id, announced.recalled_by, announced.verdict) == ("u1", "u1", Verdict.BLOCK)


async def test_a_recall_that_does_not_count_is_not_announced(rig: ModerationRig) -> None:
    message = rig.message(BAD)
    [_] = await rig.deliver_refused(message, recalled(message, "u2"), recalled(message, group="g2"))
    assert rig.data_of(JudgedMessageRecalled) == []


@pytest.mark.parametrize("apart", [True, False])
async def test_nobody_edits_what_another_has_written(rig: ModerationRig, apart: bool) -> None:
    message = rig.message(FINE)
    forged = edited(message, BAD, by="u2")
    if apart:
        await rig.deliver(message)
    [refused] = await rig.deliver_refused(*[forged] if apart else [message, forged])
    assert "not written" in refused
    assert [key.revision for key in await archived(rig)] == [0]
    assert await rig.documents("actions") == []


@pytest.mark.parametrize("apart", [True, False])
async def test_a_forged_edit_that_comes_first_stops_neither_the_message_nor_its_judgement(
    rig: ModerationRig, apart: bool
) -> None:
    message = rig.message(BAD)
    events: list[Event] = [edited(message, FINE, by="u2"), recalled(message, "u2"), message]
    for batch in [[each] for each in events] if apart else [events]:
        await rig.deliver(*batch)
    assert await recalls(rig) == {}
    assert await deletions(rig) == [message.data.message_id]
    assert (await rig.standing()).strike_of(message.data.message_id) is not None


@pytest.mark.parametrize("by", ["u1", OWNER])
async def test_a_recall_that_comes_before_its_message_is_remembered(rig: ModerationRig, by: str) -> None:
    message = rig.message(BAD)
    await rig.deliver(recalled(message, "u2"))
    await rig.deliver(recalled(message, by))
    await rig.deliver(message)
    assert await recalls(rig) == {f"g1/{message.data.message_id}": by}
    assert await rig.documents("actions", kind="delete_message") == []
    assert (await rig.standing()).strike_of(message.data.message_id) is not None, "an offence it was all the same"
    assert await rig.documents(store.EARLY) == []


async def test_what_comes_before_its_message_is_remembered_for_so_many_messages_of_a_group(
    rig: ModerationRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_EARLY", 3)
    messages = [rig.message(FINE) for _ in range(8)]
    refused = await rig.deliver_refused(*[recalled(message) for message in messages[:2]])
    refused += await rig.deliver_refused(*[edited(message, BAD) for message in messages[2:4]])
    for message in messages[4:]:
        refused += await rig.deliver_refused(recalled(message))
    assert len(refused) == 4
    assert len(await rig.documents(store.EARLY)) <= 4
    assert len(await archived(rig)) == 2, "whatever is not remembered, an edit is judged"


async def test_a_message_that_was_withdrawn_is_not_deleted_when_its_case_is_upheld(rig: ModerationRig) -> None:
    message = rig.message(DOUBTFUL)
    await rig.deliver(message, recalled(message))
    [case] = await rig.cases()
    await rig.decide(case.id, CaseOutcome.UPHELD)
    assert await rig.documents("actions", kind="delete_message") == []
    assert (await rig.standing()).strike_of(message.data.message_id) is not None


async def test_a_report_and_an_appeal_are_about_the_message_of_their_own_group(rig: ModerationRig) -> None:
    here = rig.message(FINE, "u1")
    there = here.data.model_copy(update={"group_id": "g2", "text": BAD})
    await rig.deliver(here, MessageReceived.create("g2", there, time=here.time))
    await rig.say("举报", "u2", reply_to=here.data.message_id)
    await rig.say("举报", "u3", reply_to=here.data.message_id)
    [report] = await rig.cases(kind="report")
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
    rig: ModerationRig, order: list[str], told: set[str], texts: list[str], data: st.DataObject
) -> None:
    stories = []
    for names in (["received", "edited 1", "edited 2", "edited 3", "recalled"], order):
        await rig.found_group()
        message = rig.message(texts[0])
        events: dict[str, Event] = {"received": message, "recalled": recalled(message)}
        events |= {f"edited {n}": edited(message, texts[n], n) for n in (1, 2, 3)}
        sent = [events[name] for name in names if name == "received" or name in told]
        while sent:
            size = data.draw(st.integers(1, len(sent)))
            batch, sent = sent[:size], sent[size:]
            assert await rig.deliver_refused(*batch + batch[:1]) == []
        stories.append(await story(rig, message.data.message_id))
    assert stories[0] == stories[1]
    assert stories[0]["early"] == []


async def story(rig: ModerationRig, message_id: str) -> dict[str, Any]:
    """What there is in the end."""
    standing = await rig.standing()
    return {
        "archived": {key.revision: (each["verdict"], each["text"]) for key, each in (await archived(rig)).items()},
        "recalled": sorted((await recalls(rig)).values()),
        "counted": (standing.counted, len(standing.recent)),
        "struck": standing.strike_of(message_id) is not None,
        "to be deleted": bool(await deletions(rig)),
        "early": await rig.documents(store.EARLY),
    }

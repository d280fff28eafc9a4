"""The bundled day is what it claims to be, before anything is started."""

import io
from datetime import UTC, date, datetime, timedelta

import pytest
from rich.console import Console

from demo import tables
from demo.capability_evidence import CapabilityEvidence
from demo.checks import CLAIMS
from demo.people.work import SCENES
from demo.story.capabilities import CAPABILITIES
from demo.story.huimin import CARD, ID_CARD
from demo.story.model import Edits, Garbles, Redelivers, Says
from demo.story.morning import RULES, STAFF, WITH_A_FLAW, WORDS
from demo.story.numbers import full_width_number, spaced_number
from demo.story.script import CHATS, DayStep, compose_day
from huiqun.contracts.catalog import UndecodableError, decode_event
from huiqun.contracts.channel import MessageReceived, Role
from huiqun.contracts.topics import TOPICS
from huiqun.files.reading import RowFormat
from huiqun.privacy.detection import is_bank_card, is_id_card
from local.days import TIMEZONE, last_full_day
from moderation.lexicon.model import parse_words
from moderation.policies.sections.rules import Rules
from moderation.staff.model import parse_staff

DAY = date(2026, 3, 12)
STEPS = compose_day(DAY)
TOPIC = {topic.name: topic for topic in TOPICS}


def test_every_event_keeps_to_the_contracts() -> None:
    for step in STEPS:
        if step.event is not None:
            assert decode_event(TOPIC[step.record.topic], step.record.value) == step.event
            assert step.record.key == step.chat.group.group_id.encode()


@pytest.mark.parametrize("step", [step for step in STEPS if isinstance(step.entry, Garbles)], ids=lambda s: s.entry.at)
def test_what_is_meant_to_be_broken_is_broken(step: DayStep) -> None:
    assert isinstance(step.entry, Garbles)
    with pytest.raises(UndecodableError, match=step.entry.reason):
        decode_event(TOPIC[step.record.topic], step.record.value)


def test_the_day_is_in_order_and_over() -> None:
    now = datetime.now(UTC)
    steps = compose_day(last_full_day(now))
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert steps[-1].at < now < steps[0].at + timedelta(days=2, hours=1)
    assert {step.at.astimezone(TIMEZONE).date() for step in steps} == {last_full_day(now)}


def test_the_day_is_the_same_whenever_it_is_composed() -> None:
    assert [step.record for step in compose_day(DAY)] == [step.record for step in STEPS]


def test_every_event_has_an_id_of_its_own() -> None:
    ids = [step.event.id for step in STEPS if step.event is not None and not isinstance(step.entry, Redelivers)]
    assert len(set(ids)) == len(ids)


def test_a_redelivered_message_is_the_very_same_record() -> None:
    again = [step for step in STEPS if isinstance(step.entry, Redelivers)]
    assert again
    for step in again:
        assert sum(other.record == step.record for other in STEPS) == 2


def test_a_few_hundred_messages_are_spread_over_three_groups() -> None:
    assert len(CHATS) == 3
    for chat in CHATS:
        messages = [step for step in STEPS if step.chat is chat and isinstance(step.event, MessageReceived)]
        assert len(messages) > 80
        assert {person.role for person in chat.cast.values()} >= {Role.CUSTOMER, Role.STAFF}


def test_everybody_in_the_cast_has_something_to_say() -> None:
    for chat in CHATS:
        assert {entry.by for entry in chat.day if isinstance(entry, Says)} == set(chat.cast)


def test_the_policies_are_such_as_moderation_takes() -> None:
    for chat in CHATS:
        assert Rules(**chat.rules).ladder.grace_seconds == 0


def test_the_numbers_are_well_formed_and_belong_to_nobody() -> None:
    assert is_id_card(ID_CARD)
    assert ID_CARD.startswith("999999")
    assert is_bank_card(CARD)
    assert spaced_number(CARD).replace(" ", "") == CARD
    assert full_width_number("19X") == "１９Ｘ"


def test_the_morning_has_rules_and_a_staff_list_such_as_moderation_takes() -> None:
    assert Rules(**RULES).membership.consent is not None
    assert {staff.staff_id for staff in parse_staff(STAFF.content, RowFormat.CSV)} > {
        "lin",
        "zhou",
        "shen",
        "gu",
        "tian",
    }


def test_the_words_of_the_morning_are_fit_and_their_draft_is_not() -> None:
    assert not parse_words(WORDS.content, RowFormat.CSV, "street").faults
    flawed = parse_words(WITH_A_FLAW.content, RowFormat.CSV, "street")
    assert [fault.line for fault in flawed.faults] == [3, 4]


def test_every_capability_is_shown_somewhere_and_nothing_shows_an_unknown_one() -> None:
    entries = [entry for chat in CHATS for entry in chat.day if isinstance(entry, Says | Edits)]
    shown = {name for each in (*entries, *SCENES, *CLAIMS) for name in each.shows}
    assert shown == set(CAPABILITIES)


def test_what_nobody_has_shown_is_said_to_be_nowhere_and_what_failed_to_be_wrong() -> None:
    found = {name: [CapabilityEvidence("#1", holds=name != "C2")] for name in CAPABILITIES if name != "C1"}
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(tables.capabilities_table({"C1": [], **found}))
    lines = console.export_text().splitlines()
    assert [line.split()[1] for line in lines if line.startswith("✗")] == ["C1", "C2"]
    assert sum(line.startswith("✓") for line in lines) == len(CAPABILITIES) - 2
    assert sum("nowhere" in line for line in lines) == 1


def test_the_capabilities_that_people_ask_moderation_for_are_all_there() -> None:
    numbers = [*range(1, 17), *range(18, 23), *range(24, 29), 72, 73, 77, 89]
    assert {name for name in CAPABILITIES if name.startswith("C")} == {f"C{number}" for number in numbers}


def test_a_message_that_shows_something_is_among_the_moments() -> None:
    entries = [entry for chat in CHATS for entry in chat.day if isinstance(entry, Says | Edits)]
    assert all(entry.note for entry in entries if entry.shows)

"""When a breaker opens, and what a skip rule covers."""

from datetime import UTC, datetime

import pytest

from huiqun.stream.breaker import FailureWindow
from huiqun.stream.skipping import SkipRule

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def window(share: float = 0.5, **records: tuple[int, int]) -> FailureWindow:
    """A window in which each key has so many failures and so many successes, in turns."""
    made = FailureWindow(share)
    for key, (failed, handled) in records.items():
        for _ in range(failed):
            made.note_failed(key)
        made.note_handled([key] * handled)
    return made


@pytest.mark.parametrize(
    ("failed", "handled", "exceeded"),
    [(19, 0, False), (20, 0, True), (20, 20, False), (21, 20, True), (40, 60, False), (51, 49, True), (500, 0, True)],
)
def test_a_breaker_opens_when_more_than_its_share_fails_and_not_for_a_few(
    failed: int, handled: int, exceeded: bool
) -> None:
    assert window(g1=(failed, handled)).is_exceeded is exceeded


def test_old_records_are_forgotten() -> None:
    made = window(g1=(90, 0))
    assert made.is_exceeded
    made.note_handled(["g1"] * 100)
    assert (made.is_exceeded, made.failed, made.seen) == (False, 0, 100)


def test_who_floods_one_group_with_poison_does_not_stop_the_others() -> None:
    assert not window(poisoned=(70, 0), g1=(0, 10), g2=(0, 10)).is_exceeded
    assert window(g1=(30, 10), g2=(30, 10)).is_exceeded


def test_the_share_is_a_setting() -> None:
    assert window(share=0.2, g1=(25, 75)).is_exceeded
    assert not window(share=1.0, g1=(100, 0)).is_exceeded


RULE = SkipRule("r1", "shell:ops", NOW, {"a/0": 100, "a/1": 50}, {"a/0": 10})


@pytest.mark.parametrize(
    ("partition", "offset", "covered"),
    [("a/0", 9, False), ("a/0", 10, True), ("a/0", 99, True), ("a/0", 100, False), ("a/1", 0, True), ("a/2", 0, False)],
)
def test_a_rule_covers_its_partitions_from_an_offset_to_another(partition: str, offset: int, covered: bool) -> None:
    assert RULE.covers(partition, offset, b"g1", "t") is covered


def test_a_rule_may_cover_one_key_or_one_type_of_event() -> None:
    rule = SkipRule("r2", "shell:ops", NOW, {"a/0": 10}, key=b"g1", event_type="t")
    assert rule.covers("a/0", 5, b"g1", "t")
    assert not rule.covers("a/0", 5, b"g2", "t")
    assert not rule.covers("a/0", 5, b"g1", "u")

"""Approvals as values: in whatever order people write, submit, approve and reject."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from huiqun.versions.model import (
    ApprovalMismatchError,
    ApprovalRecord,
    ApproveVersionCommand,
    Difference,
    FourEyesError,
    VersionState,
    VersionStateError,
    content_hash_of,
    diff_contents,
)

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
PEOPLE = st.sampled_from(["anna", "bo", "chen"])
CONTENTS = st.sampled_from([{"steps": number} for number in range(3)])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text("abc", min_size=1, max_size=2), JSON, max_size=4)


class Approving(RuleBasedStateMachine):
    """People write in a content and approve it; the machine remembers who, and which content."""

    @initialize(author=PEOPLE, content=CONTENTS)
    def write(self, author: str, content: dict[str, int]) -> None:
        self.record = ApprovalRecord("p1@1", (author,))
        self.content, self.editors = content, {author}
        self.state = VersionState.DRAFT
        self.approved: dict[str, int] | None = None

    @rule(editor=PEOPLE, content=CONTENTS)
    def edit(self, editor: str, content: dict[str, int]) -> None:
        self.record = self.record.edit(editor)
        self.content, self.state, self.approved = content, VersionState.DRAFT, None
        self.editors.add(editor)

    @rule()
    def submit(self) -> None:
        if self.state is VersionState.DRAFT:
            self.record, self.state = self.record.submit(), VersionState.SUBMITTED
        else:
            with pytest.raises(VersionStateError, match="p1@1"):
                self.record.submit()

    @rule()
    def reject(self) -> None:
        if self.state is VersionState.SUBMITTED:
            self.record, self.state = self.record.reject(), VersionState.DRAFT
        else:
            with pytest.raises(VersionStateError):
                self.record.reject()

    @rule(approver=PEOPLE, seen=CONTENTS, four_eyes=st.booleans())
    def approve(self, approver: str, seen: dict[str, int], four_eyes: bool) -> None:
        wish = ApproveVersionCommand(approver, content_hash_of(seen), four_eyes)
        refusal: type[Exception] | None = None
        if self.state is not VersionState.SUBMITTED:
            refusal = VersionStateError
        elif four_eyes and approver in self.editors:
            refusal = FourEyesError
        elif seen != self.content:
            refusal = ApprovalMismatchError
        if refusal is not None:
            with pytest.raises(refusal):
                self.record.approve(wish, content_hash_of(self.content), NOW)
            return
        self.record = self.record.approve(wish, content_hash_of(self.content), NOW)
        self.state, self.approved = VersionState.APPROVED, self.content
        assert self.record.approved_by == approver

    @invariant()
    def what_is_approved_is_what_somebody_approved(self) -> None:
        assert self.record.state is self.state
        assert set(self.record.editors) == self.editors
        assert self.record.covers(content_hash_of(self.content)) == (self.approved is not None)
        assert (self.record.approved_by is None) == (self.approved is None)
        if self.approved is not None:
            with pytest.raises(ApprovalMismatchError):
                self.record.covers(content_hash_of({"steps": 99}))


test_an_approval_holds_for_what_somebody_else_approved_and_nothing_else = Approving.TestCase


@given(DOCUMENTS, DOCUMENTS)
def test_differences_lead_from_one_content_to_the_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert diff_contents(old, old) == []
    there = diff_contents(old, new)
    back = [Difference(each.path, each.new, each.old) for each in diff_contents(new, old)]
    assert there == back
    assert all(each.old != each.new for each in there)


def test_a_difference_is_told_value_by_value() -> None:
    old = {"quota": {"per_day": 5}, "links": None, "kinds": [1, 2]}
    new = {"quota": {"per_day": 8}, "kinds": [1], "flood": {"within": 10}}
    assert diff_contents(old, new) == [
        Difference(("flood", "within"), None, 10),
        Difference(("kinds",), [1, 2], [1]),
        Difference(("quota", "per_day"), 5, 8),
    ]


@given(DOCUMENTS)
def test_a_hash_does_not_depend_on_the_order_of_keys(content: dict[str, Any]) -> None:
    assert content_hash_of(dict(reversed(content.items()))) == content_hash_of(content)

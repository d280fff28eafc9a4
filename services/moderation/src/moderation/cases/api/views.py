"""A case as callers see it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from huiqun.contracts.moderation import CaseKind, CaseOutcome, Verdict
from moderation.cases.model import Case, Moderator, State

Standing = Literal["waiting", "open", "claimed", "upheld", "reversed", "reclassified", "declined"]


class PersonView(BaseModel):
    """A colleague."""

    id: str = Field(description="The caller's id.", examples=["key:1f0c"])
    name: str = Field(description="The caller's name.", examples=["Anna"])


class ReasonView(BaseModel):
    """A rule that spoke."""

    rule: str = Field(description="Which rule of the policy.", examples=["lexicon"])
    category: str = Field(description="What it is about.", examples=["rumour"])
    severity: int = Field(description="From 1 to 5.", examples=[3])
    confidence: float = Field(description="From 0 to 1.", examples=[1.0])
    spans: list[tuple[int, int]] = Field(description="Where in the text.", examples=[[[2, 8]]])
    word: str | None = Field(
        default=None, description="The word that was found, after its list.", examples=["huiqun/加薇"]
    )
    stream: str | None = Field(default=None, description="How the word was written.", examples=["folded"])


class CommentView(BaseModel):
    """What a colleague noted."""

    by: PersonView = Field(description="Who.")
    at: datetime = Field(description="When.", examples=["2026-11-22T08:00:00Z"])
    text: str = Field(description="What they noted, with personal data masked.", examples=["已与客户电话核实"])


class EntryView(BaseModel):
    """Something that happened to the case."""

    at: datetime = Field(description="When.", examples=["2026-11-22T08:00:00Z"])
    what: str = Field(
        description="opened, reported, unreadable, revised, reopened, mediated_… or a decision.", examples=["opened"]
    )
    by: str = Field(description="The member or colleague; empty for a rule.", examples=["member-2"])
    note: str = Field(description="What they said, with personal data masked.", examples=["举报 发广告"])


class DecisionView(BaseModel):
    """How a person decided."""

    outcome: CaseOutcome = Field(description="What was decided.", examples=["upheld"])
    by: PersonView = Field(description="Who decided.")
    at: datetime = Field(description="When.", examples=["2026-11-22T08:30:00Z"])
    category: str = Field(description="The category as decided.", examples=["rumour"])
    note: str = Field(description="Why, with personal data masked.", examples=["来源不明"])
    action_id: str | None = Field(
        description="The removal that was asked of the channel.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"]
    )


class CaseView(BaseModel):
    """A question for a person, with all that is needed to answer it."""

    id: str = Field(description="The case's id.", examples=["review-4f2a9c0d1e2b3a4f5c6d7e8f90a1b2c3"])
    kind: CaseKind = Field(description="Why a person has to look.", examples=["review"])
    state: Standing = Field(description="Where it stands; claimed while somebody's lease runs.", examples=["open"])
    group_id: str = Field(description="The group.", examples=["group-1"])
    member_id: str = Field(description="Whose message it is.", examples=["member-1"])
    role: str = Field(description="What the member is in the group.", examples=["customer"])
    message_id: str = Field(description="The message.", examples=["msg-1"])
    revision: int = Field(description="Which revision of it, 0 as first sent.", examples=[0])
    verdict: Verdict = Field(description="How the rules judged the message.", examples=["review"])
    category: str = Field(description="What it is about.", examples=["rumour"])
    severity: int = Field(description="From 1 to 5.", examples=[3])
    reasons: list[ReasonView] = Field(description="The rules that spoke.")
    text: str = Field(description="The message, with personal data masked.", examples=["听说某市即将封城了"])
    policy: str = Field(description="The policy's version that judged it.", examples=["default@3"])
    count: int = Field(description="Of records that could not be read, how many; else 1.", examples=[1])
    sanction_id: str | None = Field(
        description="The sanction appealed against or proposed.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"]
    )
    opened_at: datetime = Field(description="Since when it waits.", examples=["2026-11-22T08:00:00Z"])
    due_at: datetime = Field(description="Until when it should be decided.", examples=["2026-11-22T12:00:00Z"])
    overdue: bool = Field(description="Whether it passed that undecided.", examples=[False])
    holder: PersonView | None = Field(description="Who has claimed it.")
    held_until: datetime | None = Field(description="Until when.", examples=["2026-11-22T08:15:00Z"])
    reporters: int = Field(description="How many people reported the message.", examples=[0])
    comments: list[CommentView] = Field(description="What colleagues noted, oldest first.")
    history: list[EntryView] = Field(description="What happened to it, oldest first.")
    decision: DecisionView | None = Field(description="How it was decided.")
    version: int = Field(description="Rises with whatever a decision should know of; the ETag, too.", examples=[2])


def view_of(case: Case, now: datetime) -> CaseView:
    """The case as it stands now."""
    holder = case.holder(now)
    return CaseView(
        **case.model_dump(include=_SAME),
        state="claimed" if case.state is State.OPEN and holder else case.state.value,
        holder=_person(holder) if holder else None,
        held_until=case.lease.until if case.lease and holder else None,
        reporters=len(case.reporters),
    )


_SAME = set(CaseView.model_fields) - {"state", "holder", "held_until", "reporters"}


def _person(who: Moderator) -> PersonView:
    return PersonView(id=who.id, name=who.name)

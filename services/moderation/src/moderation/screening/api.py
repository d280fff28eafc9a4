"""Try a text against the rules in force, and see why it would be judged so."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Literal, cast

from fastapi import Depends
from pydantic import BaseModel, Field
from starlette.requests import Request

from huiqun.contracts.channel.messages import MAX_TEXT
from huiqun.contracts.envelope import Id
from huiqun.contracts.moderation import Verdict
from huiqun.privacy.text import RawText
from huiqun.web import Offloaded, Router, read_only
from moderation.lexicon.model.matching import Hit
from moderation.policies.model import Policy
from moderation.rulebook.model import Rulebook
from moderation.screening.model.finding import Finding
from moderation.screening.model.trial import try_text
from moderation.screening.shipped import shipped_classifier

router = Router("/api/v1/lexicon/scan", tag="lexicon", role="viewer")


def rulebook_in_force(request: Request) -> Rulebook:
    """The rulebook of this process."""
    return cast("Callable[[], Rulebook]", request.app.state.rulebook)()


InForce = Annotated[Rulebook, Depends(rulebook_in_force)]


class Trial(BaseModel):
    """A text to try."""

    text: Annotated[str, RawText(max_length=MAX_TEXT)] = Field(
        description="The text.", examples=["想赚钱的加薇 abc123"]
    )
    group_id: Id | None = Field(
        default=None, description="Under the policy of this group; without it, the default.", examples=["group-1"]
    )


class HitView(BaseModel):
    """A word that was found."""

    word: str = Field(description="The word as its list has it.", examples=["加薇"])
    word_id: str = Field(description="The word's id: its list, then the word.", examples=["huiqun/加薇"])
    category: str = Field(description="What it is about.", examples=["solicitation"])
    severity: int = Field(description="From 1 to 5.", examples=[3])
    stream: str = Field(description="How it was written: as it is, with symbols inserted, …", examples=["folded"])
    confidence: float = Field(description="From 0 to 1.", examples=[1.0])
    start: int = Field(description="Its first character in the text, from 0.", examples=[4])
    end: int = Field(description="Behind its last character.", examples=[6])
    outcome: Verdict | None = Field(
        description="What the policy wants for its category; null if nothing.", examples=["block"]
    )


class FindView(BaseModel):
    """Personal data, a link or an offer of contact that was found."""

    kind: Literal["id_card", "bank_card", "mobile", "email", "link", "contact"] = Field(
        description="What it is.", examples=["mobile"]
    )
    start: int = Field(description="Its first character in the text, from 0.", examples=[4])
    end: int = Field(description="Behind its last character.", examples=[15])


class ReasonView(BaseModel):
    """A rule that would speak."""

    rule: str = Field(description="Which rule of the policy.", examples=["lexicon"])
    category: str = Field(description="What it is about.", examples=["solicitation"])
    severity: int = Field(description="From 1 to 5.", examples=[3])
    confidence: float = Field(description="From 0 to 1.", examples=[1.0])
    outcome: Verdict = Field(description="What the rule asks for.", examples=["block"])
    shadow: bool = Field(description="Whether the rule is on trial: nothing follows from it.", examples=[False])
    spans: list[tuple[int, int]] = Field(description="Where in the text, in characters.", examples=[[[4, 6]]])


class TrialView(BaseModel):
    """What would become of the text."""

    verdict: Verdict = Field(description="The severest outcome that a rule asks for.", examples=["block"])
    policy: str = Field(description="The policy's version that judged it.", examples=["default@3"])
    lexicon: str = Field(description="The lexicon's version that judged it.", examples=["2026-11-22T08:00:00Z"])
    masked_text: str = Field(description="The text as it would be kept.", examples=["想赚钱的加薇 abc123"])
    reasons: list[ReasonView] = Field(description="The rules that would speak.")
    hits: list[HitView] = Field(description="Every word that was found, whether the policy acts on it or not.")
    finds: list[FindView] = Field(description="Personal data, links and offers of contact.")


@router.post("", summary="Try a text against the rules in force", dependencies=[read_only()])
async def scan(trial: Trial, rulebook: InForce, offload: Offloaded) -> TrialView:
    """Judged as if a customer of long standing sent it now; it is kept nowhere."""
    return await offload(_scan, trial, rulebook)


def _scan(trial: Trial, rulebook: Rulebook) -> TrialView:
    decision, evidence = try_text(rulebook, trial.text, trial.group_id, datetime.now(UTC), shipped_classifier)
    finds = [
        *(FindView(kind=find.kind, start=find.start, end=find.end) for find in evidence.personal),
        *(FindView(kind="link", start=span.start, end=span.end) for span in evidence.links),
        *(FindView(kind="contact", start=span.start, end=span.end) for span in evidence.contacts),
    ]
    return TrialView(
        verdict=decision.verdict,
        policy=decision.policy.label,
        lexicon=rulebook.lexicon_version,
        masked_text=decision.masked_text,
        reasons=[_reason(finding) for finding in decision.findings],
        hits=_hits(evidence.hits, decision.policy),
        finds=finds,
    )


def _reason(finding: Finding) -> ReasonView:
    reason = finding.reason
    return ReasonView(
        rule=reason.rule,
        category=reason.category,
        severity=reason.severity,
        confidence=reason.confidence,
        outcome=finding.outcome,
        shadow=reason.shadow,
        spans=list(reason.spans),
    )


def _hits(hits: tuple[Hit, ...], policy: Policy) -> list[HitView]:
    return [
        HitView(
            word=hit.word.text,
            word_id=hit.word_id,
            category=hit.category,
            severity=hit.severity,
            stream=hit.stream.value,
            confidence=hit.confidence,
            start=hit.start,
            end=hit.end,
            outcome=policy.rules.lexicon.categories.get(hit.category) if policy.rules.lexicon else None,
        )
        for hit in hits
    ]

"""Try a text against the rules in force, and see why it would be judged so."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Depends
from pydantic import BaseModel, Field

from huiqun.contracts.channel.messages import MAX_TEXT
from huiqun.contracts.envelope import Id
from huiqun.contracts.moderation import Verdict
from huiqun.privacy.text import RawText
from huiqun.web import Offloaded, Router, read_only
from huiqun.web.provided import provided
from moderation.classifier.handlers import load_shipped_classifier
from moderation.lexicon.matching.matcher import LexiconHit
from moderation.policies.model import Policy
from moderation.rulebook.model import Rulebook, RulebookSource
from moderation.rules.model import Finding
from moderation.verdicts.handlers import try_text

router = Router("/api/v1/lexicon/scan", tag="lexicon", role="viewer")


def get_rulebook_in_force(source: Annotated[RulebookSource, provided(RulebookSource)]) -> Rulebook:
    """Return the rulebook of this process."""
    return source.current()


RulebookInForce = Annotated[Rulebook, Depends(get_rulebook_in_force)]


class TryTextBody(BaseModel):
    """A text to try."""

    text: Annotated[str, RawText(max_length=MAX_TEXT)] = Field(
        description="The text to judge, as a member would write it.", examples=["想赚钱的加薇 abc123"]
    )
    group_id: Id | None = Field(
        default=None,
        description="The group under whose policy the text is judged; without it, the default policy.",
        examples=["group-1"],
    )


class LexiconHitView(BaseModel):
    """A word of a list that was found in the text."""

    word: str = Field(description="The word as its list has it.", examples=["加薇"])
    word_id: str = Field(description="The word's id: its list, then the word.", examples=["huiqun/加薇"])
    category: str = Field(
        description="The category of the word; policies act on categories.", examples=["solicitation"]
    )
    severity: int = Field(description="The severity of the word, from 1 to 5.", examples=[3])
    stream: str = Field(
        description="How the word is written: `folded` as it is, `stripped` with symbols in between, others alike.",
        examples=["folded"],
    )
    confidence: float = Field(description="Confidence that the word is meant, from 0 to 1.", examples=[1.0])
    start: int = Field(description="The offset of the word's first character in the text, from 0.", examples=[4])
    end: int = Field(description="The offset behind the word's last character.", examples=[6])
    outcome: Verdict | None = Field(
        description="What the policy wants for the word's category; null if nothing.", examples=["block"]
    )


class FoundSpanView(BaseModel):
    """Personal data, a link or an offer of contact that was found."""

    kind: Literal["id_card", "bank_card", "mobile", "email", "link", "contact"] = Field(
        description="What kind of data, link or offer was found.", examples=["mobile"]
    )
    start: int = Field(description="The offset of its first character in the text; 0 in an address.", examples=[4])
    end: int = Field(description="The offset behind its last character.", examples=[15])


class TrialReasonView(BaseModel):
    """A rule that would find something, and what it would ask for."""

    rule: str = Field(description="The rule of the policy.", examples=["lexicon"])
    category: str = Field(description="The category of what the rule found.", examples=["solicitation"])
    severity: int = Field(description="The severity of what the rule found, from 1 to 5.", examples=[3])
    confidence: float = Field(description="Confidence of the rule in its finding, from 0 to 1.", examples=[1.0])
    outcome: Verdict = Field(description="The outcome that the rule asks for.", examples=["block"])
    shadow: bool = Field(description="Whether the rule is on trial: nothing follows from it.", examples=[False])
    spans: list[tuple[int, int]] = Field(
        description="The places in the text, each as first and end offset in characters.", examples=[[[4, 6]]]
    )


class TextTrialView(BaseModel):
    """What would become of the text."""

    verdict: Verdict = Field(description="The severest outcome that a rule asks for.", examples=["block"])
    policy: str = Field(description="The policy's version that judged it.", examples=["default@3"])
    lexicon: str = Field(description="The lexicon's version that judged it.", examples=["2026-11-22T08:00:00Z"])
    masked_text: str = Field(description="The text as it would be kept.", examples=["想赚钱的加薇 abc123"])
    reasons: list[TrialReasonView] = Field(description="The rules that would find something, and what each asks for.")
    hits: list[LexiconHitView] = Field(description="Every word that was found, whether the policy acts on it or not.")
    finds: list[FoundSpanView] = Field(description="Personal data, links and offers of contact that were found.")


@router.post("", summary="Try a text against the rules in force", dependencies=[read_only()])
async def scan_text(body: TryTextBody, rulebook: RulebookInForce, offload: Offloaded) -> TextTrialView:
    """Judged as if a customer of long standing sent it now; it is kept nowhere."""
    return await offload(_try_text, body, rulebook)


def _try_text(body: TryTextBody, rulebook: Rulebook) -> TextTrialView:
    decision, evidence = try_text(rulebook, body.text, body.group_id, datetime.now(UTC), load_shipped_classifier)
    finds = [
        *(FoundSpanView(kind=find.kind, start=find.start, end=find.end) for find in evidence.personal),
        *(FoundSpanView(kind="link", start=span.start, end=span.end) for span in evidence.links),
        *(FoundSpanView(kind="contact", start=span.start, end=span.end) for span in evidence.contacts),
    ]
    return TextTrialView(
        verdict=decision.verdict,
        policy=decision.policy.label,
        lexicon=rulebook.lexicon_version,
        masked_text=decision.masked_text,
        reasons=[_view_reason(finding) for finding in decision.findings],
        hits=_view_hits(evidence.hits, decision.policy),
        finds=finds,
    )


def _view_reason(finding: Finding) -> TrialReasonView:
    reason = finding.reason
    return TrialReasonView(
        rule=reason.rule,
        category=reason.category,
        severity=reason.severity,
        confidence=reason.confidence,
        outcome=finding.outcome,
        shadow=reason.shadow,
        spans=list(reason.spans),
    )


def _view_hits(hits: tuple[LexiconHit, ...], policy: Policy) -> list[LexiconHitView]:
    return [
        LexiconHitView(
            word=hit.word.text,
            word_id=hit.word_id,
            category=hit.category,
            severity=hit.severity,
            stream=hit.match_kind.value,
            confidence=hit.confidence,
            start=hit.start,
            end=hit.end,
            outcome=policy.rules.lexicon.categories.get(hit.category) if policy.rules.lexicon else None,
        )
        for hit in hits
    ]

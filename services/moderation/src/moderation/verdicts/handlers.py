"""Tries texts: what would become of one if a customer of long standing sent it, and on what evidence."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from huiqun.contracts.channel import Message, Sender
from moderation.classifier.model import Classifier
from moderation.evidence.model import Evidence, add_likeness, gather_evidence
from moderation.lexicon.matching.matcher import EVERY_POLICY
from moderation.rulebook.model import Rulebook
from moderation.standings.model import Standing
from moderation.verdicts.model import Decision, judge_message

_TRIAL: Final = "trial"
_LONG_AGO: Final = datetime(2011, 1, 1, tzinfo=UTC)
_PLENTY: Final = 1_000


def try_text(
    rulebook: Rulebook, text: str, group_id: str | None, now: datetime, classifier: Callable[[], Classifier]
) -> tuple[Decision, Evidence]:
    """Judge `text` as if it were sent to the group now; without a group, under the default policy.

    The evidence has the words of every category, also of those that the group's policy does not act on.
    """
    group = group_id or _TRIAL
    message = Message(message_id=_TRIAL, group_id=group, sender=Sender(member_id=_TRIAL), text=text, sent_at=now)
    settings = rulebook.policies.settings_of(group)
    policy = rulebook.policies.policy_of(settings)
    gathered = gather_evidence([message], [EVERY_POLICY], rulebook.lexicon, now.date())
    add_likeness(gathered, [message], [policy], classifier)
    (evidence,) = gathered
    standing = Standing(group, _TRIAL, since=_LONG_AGO, substantial=_PLENTY)
    return judge_message(message, policy, settings, standing, evidence), evidence

"""What would become of a text if a customer of long standing sent it, and on what evidence."""

from collections.abc import Callable
from datetime import UTC, datetime

from huiqun.contracts.channel import Message, Sender
from moderation.lexicon.model.matching import EVERY_POLICY
from moderation.rulebook.model import Rulebook
from moderation.screening.model.classifier import Classifier
from moderation.screening.model.decision import Decision, judge
from moderation.screening.model.evidence import Evidence, gather
from moderation.screening.model.resemblance import add_resemblance
from moderation.standings.model import Standing

_TRIAL = "trial"
_LONG_AGO = datetime(2011, 1, 1, tzinfo=UTC)
_PLENTY = 1_000


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
    gathered = gather([message], [EVERY_POLICY], rulebook.lexicon, now.date())
    add_resemblance(gathered, [message], [policy], classifier)
    (evidence,) = gathered
    standing = Standing(group, _TRIAL, since=_LONG_AGO, substantial=_PLENTY)
    return judge(message, policy, settings, standing, evidence), evidence

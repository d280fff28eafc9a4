"""Messages that could not be read, and so were judged by nobody: a person looks into the group."""

from collections.abc import Sequence
from typing import Final

from huiqun.contracts.channel import Role
from huiqun.contracts.moderation import CaseKind, Screened, Verdict
from huiqun.stream.unreadable import UnreadableRecord
from huiqun.work import Work
from moderation.cases.handlers.opening import open_cases
from moderation.cases.model import Opening, due
from moderation.groups.store import list_group_settings
from moderation.policies.sections.review import ReviewRule
from moderation.rulebook.model import Rulebook

UNREADABLE: Final = "unreadable"
_SEVERITY: Final = 3
_NOBODY: Final = "unknown"
_TEXT: Final = "有消息无法读取，未经审核，请到群内查看。"


async def open_unreadable(work: Work, events: Sequence[UnreadableRecord], rulebook: Rulebook) -> None:
    """Open a case for each group that has such messages, or count them in the one that there is.

    A record that does not name its group counts where its key is a group that we know.
    """
    guessed = {event.data.group_id for event in events if not event.data.names_group}
    known = await list_group_settings(work, guessed) if guessed else {}
    named = [event for event in events if event.data.names_group or event.data.group_id in known]
    await open_cases(work, [_opening(work, event, _rule_of(event.data.group_id, rulebook)) for event in named])


def _rule_of(group_id: str, rulebook: Rulebook) -> ReviewRule:
    settings = rulebook.policies.settings_of(group_id)
    return rulebook.policies.policy_of(settings).rules.review


def _opening(work: Work, event: UnreadableRecord, rule: ReviewRule) -> Opening:
    data = event.data
    message = Screened(
        channel=event.source,
        message_id=data.message_id or _NOBODY,
        group_id=data.group_id,
        member_id=data.member_id or _NOBODY,
        role=Role.CUSTOMER,
        verdict=Verdict.REVIEW,
        policy_version="",
        lexicon_version="",
        masked_text=_TEXT,
        sent_at=work.now,
    )
    note = f"{data.message_id or _NOBODY}: {data.reason}"[:500]
    return Opening(
        CaseKind.UNREADABLE, message, UNREADABLE, _SEVERITY, due(rule, _SEVERITY, work.now), note=note, cause=event
    )

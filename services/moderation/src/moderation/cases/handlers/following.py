"""What follows from a decision: enforcement, removal, everything taken back, a corrected reason."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from huiqun.channel.actions.context import NO_CONTEXT, quote_message
from huiqun.channel.actions.handlers import request_actions
from huiqun.contracts.channel import Action, Role
from huiqun.contracts.channel.mentions import Mention, compose_text
from huiqun.contracts.moderation import CaseKind, CaseOutcome, SanctionKind, Verdict
from huiqun.runtime.ids import new_id
from huiqun.work import Work
from moderation.archive import store as archive
from moderation.archive.model import MessageRef
from moderation.cases.handlers.opening import open_cases
from moderation.cases.model import REMOVAL_SEVERITY, Case, Moderator, Opening, due
from moderation.enforcement import model as enforcement
from moderation.enforcement.handlers import impose, undo
from moderation.enforcement.model import Offence, Terms
from moderation.policies.model import Rules
from moderation.standing.model import Standing, reclassify

ABOUT_THE_MESSAGE = frozenset({CaseKind.REVIEW, CaseKind.REPORT})


class NoProposalError(ValueError):
    """Only a proposal to remove a member can be declined: uphold, reverse or reclassify this case."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a person decided; `category` is the right one where the case was about a wrong one."""

    outcome: CaseOutcome
    by: Moderator
    note: str = ""
    category: str | None = None


@dataclass(slots=True)
class Hearing:
    """A case being decided, with what the decision needs to know and changes."""

    work: Work
    case: Case
    ruling: Ruling
    rules: Rules
    terms: Terms
    standing: Standing | None

    @property
    def category(self) -> str:
        """The category as decided."""
        return self.ruling.category or self.case.category

    @property
    def offence(self) -> Offence:
        """What the member did, as decided."""
        case = self.case
        return Offence(
            case.group_id,
            case.member_id,
            case.message_id,
            self.category,
            at=self.work.now,
            wording=self.rules.wording,
            channel=case.channel,
        )


async def follow(hearing: Hearing) -> str | None:
    """Do what follows from the decision; returns the id of the action that removes the member, if one does.

    Raises NoProposalError.
    """
    return await _FOLLOWS[hearing.ruling.outcome](hearing)


async def _uphold(hearing: Hearing) -> str | None:
    """A doubtful or reported message is an offence; a proposed removal is asked for; an appeal changes nothing.

    Returns the id of the action that removes the member.
    """
    case = hearing.case
    if case.kind in ABOUT_THE_MESSAGE:
        await _enforce(hearing)
    if case.kind is not CaseKind.REMOVAL or hearing.standing is None:
        return None
    offence = await _with_message(hearing)
    removal = enforcement.removal(offence, hearing.ruling.by.name, new_id())
    asked = [removal]
    if case.sanction_id is not None and hearing.terms.appeal_link is not None:
        # Who is out of the group can appeal by nothing but a link.
        link = hearing.terms.appeal_link(offence, case.sanction_id)
        asked.append(enforcement.farewell(offence, link, new_id()))
    await request_actions(hearing.work, *asked, contexts={removal.action_id: offence.context})
    return removal.action_id


async def _decline(hearing: Hearing) -> None:
    """Nobody is removed; the offence stays, and the next one may lead to another proposal. Raises NoProposalError."""
    if hearing.case.kind is not CaseKind.REMOVAL:
        raise NoProposalError(hearing.case.kind.value)


async def _reverse(hearing: Hearing) -> None:
    """Nothing was wrong: strike, sanction and open actions are taken back together."""
    work, case = hearing.work, hearing.case
    if hearing.standing is None:
        return
    undone = await undo(work, hearing.standing, case.ref)
    if undone.removed and hearing.terms.owner is not None:
        words = "对成员 {member} 的处罚已撤销，而该成员已被移出群聊，请重新邀请。"
        text = compose_text(words, member=Mention(case.member_id))
        task = enforcement.task(case.group_id, hearing.terms.owner, text, work.now, new_id())
        await request_actions(work, task)


async def _reclassify(hearing: Hearing) -> None:
    """It was wrong, but in another way: the strike counts as that; where it now counts nothing, all is undone."""
    standing, message_id = hearing.standing, hearing.case.message_id
    strike = standing.strike_of(message_id) if standing is not None else None
    if standing is None or strike is None:
        if hearing.case.kind in ABOUT_THE_MESSAGE:
            await _enforce(hearing)
        return
    blocked = hearing.case.verdict is not Verdict.WARN
    weight = enforcement.weight_of(hearing.category, hearing.rules.ladder, blocked=blocked)
    if weight > 0:
        reclassify(standing, message_id, hearing.category, weight)
    else:
        await _reverse(hearing)


async def _enforce(hearing: Hearing) -> None:
    """Do what would have been done had the message been blocked at once."""
    work, case, offence = hearing.work, hearing.case, await _with_message(hearing)
    if hearing.standing is None:
        if case.role is Role.STAFF:
            await request_actions(work, enforcement.notice_to_staff(offence, new_id()))
        return
    requests: list[Action] = []
    if case.verdict is not Verdict.BLOCK and not await _is_withdrawn(work, case.ref):
        requests.append(enforcement.deletion(offence, new_id()))
        if enforcement.is_personal(offence.category):
            requests.append(enforcement.caution(offence, new_id()))
    weight = enforcement.weight_of(offence.category, hearing.rules.ladder, blocked=True)
    imposed = impose(work, offence, weight, hearing.standing, hearing.terms)
    if imposed is not None:
        climb, actions = imposed
        requests += actions
        if climb.kind is SanctionKind.REMOVAL_PROPOSED:
            await _propose_removal(hearing, actions[0].action_id)
    contexts = dict.fromkeys([action.action_id for action in requests], offence.context)
    await request_actions(work, *requests, contexts=contexts)


async def _with_message(hearing: Hearing) -> Offence:
    """The offence with the message that it was, as people find it in the chat."""
    case = hearing.case
    message = (await archive.latest(hearing.work, [case.ref])).get(case.ref)
    context = quote_message(case.text, message.sent_at) if message is not None else NO_CONTEXT
    return replace(hearing.offence, context=context)


async def _is_withdrawn(work: Work, ref: MessageRef) -> bool:
    """Whether there is nothing left to delete."""
    revisions = (await archive.find_revisions(work, [ref])).get(ref, ())
    return any("recalled_by" in revision.document for revision in revisions)


async def _propose_removal(hearing: Hearing, sanction_id: str) -> None:
    work, case = hearing.work, hearing.case
    message = (await archive.latest(work, [case.ref])).get(case.ref)
    if message is not None:
        opening = Opening(
            kind=CaseKind.REMOVAL,
            message=message,
            category=hearing.category,
            severity=REMOVAL_SEVERITY,
            due_at=due(hearing.rules.review, REMOVAL_SEVERITY, work.now),
            sanction_id=sanction_id,
        )
        await open_cases(work, [opening])


_FOLLOWS: Mapping[CaseOutcome, Callable[[Hearing], Awaitable[str | None]]] = {
    CaseOutcome.UPHELD: _uphold,
    CaseOutcome.REVERSED: _reverse,
    CaseOutcome.RECLASSIFIED: _reclassify,
    CaseOutcome.DECLINED: _decline,
}

"""Does what was seen agree with the story?"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from demo import other_services
from demo.check import CheckResult
from demo.evidence import DayEvidence
from demo.observed import ObservedRun
from demo.story.huimin import CARD, ID_CARD
from demo.story.model import Expected, Garbles, Says
from demo.story.numbers import full_width_number, spaced_number
from huiqun.contracts.channel import ActionKind
from huiqun.contracts.channel.mentions import Mention
from huiqun.contracts.channel.shown_names import NEUTRAL_NAME, clean_name
from huiqun.contracts.moderation import CaseClosed
from local.services import Service

# How the words about an action that is open for too long begin; they are no actions of their own.
# A name of two characters may be a word as well.
_A_WORD: Final = 2
_SECRETS: Final = (ID_CARD, full_width_number(ID_CARD), CARD, spaced_number(CARD))


@dataclass(frozen=True, slots=True)
class Claim:
    """What should be true of a run; `objections` says what speaks against it."""

    text: str
    objections: Callable[[DayEvidence], Iterator[str]]
    shows: tuple[str, ...] = ()


def check_claims(evidence: DayEvidence) -> list[CheckResult]:
    """Every check of the story."""
    return [CheckResult(claim.text, list(claim.objections(evidence)), claim.shows) for claim in CLAIMS]


def check_stopped(services: Sequence[Service]) -> CheckResult:
    """To be looked at when the services have been asked to stop."""
    return CheckResult(
        "every service stops when it is asked to",
        [
            f"{service.name} ended with exit code {service.process.exit_code}"
            for service in services
            if service.process.exit_code != 0
        ],
    )


def _verdicts(evidence: DayEvidence) -> Iterator[str]:
    for key, expected in evidence.judged.items():
        yield from describe_misjudgement(key, expected, evidence.seen)


def describe_misjudgement(key: str, expected: Expected, seen: ObservedRun) -> Iterator[str]:
    """What is other about the verdict on a message than the story expects."""
    document = seen.archived.get(key)
    if document is None:
        yield f"{key} was not judged"
        return
    reasons = [(reason["rule"], reason["category"]) for reason in document.get("reasons", ())]
    fits = not expected.rule or (expected.rule, expected.category) in reasons
    if document["verdict"] != expected.verdict or not fits:
        wanted = f"{expected.verdict} {expected.rule}/{expected.category}".removesuffix(" /")
        yield f"{key}: {document['verdict']} {reasons or ''} instead of {wanted}"


def _sanctions(evidence: DayEvidence) -> Iterator[str]:
    wanted = Counter(
        (key.partition("/")[0], expected.sanction.value)
        for key, expected in evidence.judged.items()
        if expected.sanction is not None
    )
    wanted += evidence.morning.sanctions
    found = Counter((sanction.message_id or "", sanction.kind.value) for sanction in evidence.seen.sanctions)
    yield from (f"no {kind} for {message}" for message, kind in wanted - found)
    yield from (f"an unexpected {kind} for {message}" for message, kind in found - wanted)


def _archived_once(evidence: DayEvidence) -> Iterator[str]:
    yield from _differences(evidence.judged, evidence.seen.archived, "in MongoDB")


def _screened_once(evidence: DayEvidence) -> Iterator[str]:
    yield from _differences(evidence.judged, evidence.seen.screened, "on the topic")
    for key, events in evidence.seen.screened.items():
        if len(events) != 1:
            yield f"{key}: {len(events)} events, {len({event.id for event in events})} different"


def _differences(wanted: Mapping[str, object], found: Mapping[str, object], where: str) -> Iterator[str]:
    yield from (f"{key} is missing {where}" for key in wanted.keys() - found.keys())
    yield from (f"{key} should not be {where}" for key in found.keys() - wanted.keys())


def _withheld(evidence: DayEvidence) -> Iterator[str]:
    wanted = {step.key for step in evidence.steps if isinstance(step.entry, Says) and step.entry.withheld}
    found = set(evidence.transcript.withheld)
    yield from (f"{key} got through" for key in wanted - found)
    yield from (f"{key} was kept back" for key in found - wanted)


def _actions(evidence: DayEvidence) -> Iterator[str]:
    transcript = evidence.transcript
    ids = {document["_id"] for document in evidence.seen.actions}
    for document in evidence.seen.actions:
        outcome = transcript.outcomes.get(document["_id"])
        if document["how"] == "unsupported" or document["state"] == "shadow":
            continue
        given_up = (outcome, document["state"]) == ("assigned", "expired")  # nobody got to it
        if outcome is None or (document["state"] != outcome and not given_up):
            yield f"{document['kind']} {document['_id']}: {document['state']} here, {outcome} on the channel"
    yield from (f"{action_id} was never asked for" for action_id in transcript.asked.keys() - ids)


def _unsupported(evidence: DayEvidence) -> Iterator[str]:
    cannot = {ActionKind.MUTE_MEMBER: "mute", ActionKind.DELETE_MESSAGE: "delete"}
    groups = {step.chat.group.group_id: step.chat.group.capabilities for step in evidence.steps}
    for document in evidence.seen.actions:
        needed = cannot.get(ActionKind(document["kind"]))
        if needed is None:
            continue
        impossible = getattr(groups[document["group_id"]], needed) == "none"
        if impossible != (document["state"] == "unsupported"):
            yield f"{document['kind']} in {document['group_id']}: {document['state']}"
        if impossible and document["_id"] in evidence.transcript.asked:
            yield f"{document['kind']} in {document['group_id']} was asked for all the same"


def _deleted(evidence: DayEvidence) -> Iterator[str]:
    for step in evidence.steps:
        blocked = step.expected is not None and step.expected.verdict == "block"
        message_id = step.key.partition("/")[0]
        able = step.chat.group.capabilities.delete != "none"
        if blocked and able != (message_id in evidence.transcript.deleted):
            yield f"{message_id}: deleted is {not able}"


def _dead_letters(evidence: DayEvidence) -> Iterator[str]:
    broken = {step.record.value: step.entry for step in evidence.steps if isinstance(step.entry, Garbles)}
    for service, letters in evidence.seen.dead.items():
        for letter in letters:
            entry = broken.pop(letter.value, None) if service == "moderation" else None
            if entry is None:
                yield f"{service}: {letter.reason}"
            elif entry.reason not in letter.reason:
                yield f"{letter.reason!r} does not name {entry.reason!r}"
    yield from (f"no dead letter for {(value or b'')[:40]!r}" for value in broken)


def _named(evidence: DayEvidence) -> Iterator[str]:
    """Names that actions hold, and mentions that the channel did not put a name in for."""
    names = {person.name.partition("-")[0] for person in evidence.people.values()}
    unmistakable = [name for name in names if len(name) > _A_WORD]
    for action_id, action in evidence.transcript.asked.items():
        written = action.model_dump_json()
        yield from (f"{action.kind} {action_id} names {name}" for name in unmistakable if name in written)
        told = evidence.transcript.told.get(action_id, "")
        for member_id in action.members if told else ():
            nameless = member_id if action.kind is ActionKind.NOTIFY_STAFF else NEUTRAL_NAME
            shown = clean_name(evidence.people[action.record_key, member_id].name) or nameless
            if shown not in told or Mention(member_id).placeholder in told:
                yield f"{action.kind} {action_id} was told as {told!r}, without {shown}"
    for document in evidence.seen.actions:
        yield from (f"{document['_id']} is kept with {name}" for name in unmistakable if name in str(document))


def _masked(evidence: DayEvidence) -> Iterator[str]:
    for key, document in evidence.seen.archived.items():
        if _shows_a_number(str(document["text"])):
            yield f"{key} shows a number in MongoDB"
    for event in evidence.seen.decisions:
        if _shows_a_number(event.model_dump_json()):
            yield f"{event.type} of {event.subject} shows a number"
    for log in evidence.logs:
        if _shows_a_number(log.read_text(encoding="utf-8", errors="replace")):
            yield f"{log} shows a number"


def _shows_a_number(text: str) -> bool:
    return any(secret in text for secret in _SECRETS)


def _announced(evidence: DayEvidence) -> Iterator[str]:
    closed = [event.data for event in evidence.seen.decisions if isinstance(event, CaseClosed)]
    found = Counter((case.case_id, case.outcome.value) for case in closed)
    wanted = Counter(evidence.morning.closed.items())
    yield from (f"{case_id} was not announced as {outcome}" for case_id, outcome in wanted - found)
    yield from (f"{case_id} was announced as {outcome}" for case_id, outcome in found - wanted)


def _audited(evidence: DayEvidence) -> Iterator[str]:
    for service, report in evidence.seen.audits.items():
        yield from (f"{service}: {finding.explanation}" for finding in report.findings)


CLAIMS: Final = (
    Claim("every message is judged as the story expects", _verdicts),
    Claim("warnings, mutes and removals go to whom they should", _sanctions, ("C12",)),
    Claim("each message has exactly one verdict in MongoDB", _archived_once, ("C72",)),
    Claim("each has exactly one moderation.message.screened on the topic", _screened_once),
    Claim("who is muted by the channel is not heard", _withheld),
    Claim("each action has one outcome, and was carried out once", _actions, ("B16",)),
    Claim("what the channel cannot do is recorded as unsupported, and not asked for", _unsupported, ("B15",)),
    Claim("blocked messages are gone where the channel can delete", _deleted),
    Claim("broken records are dead letters with a reason, and nothing else is", _dead_letters),
    Claim("actions name members by id, and the channel puts in their names", _named),
    Claim("personal data is masked in the archive, on the topic and in the logs", _masked, ("C8",)),
    Claim("engagement has counted each message once, and knows who has left", other_services.check_activity),
    Claim("crm-sync knows each customer once, whatever groups they are in", other_services.check_customers),
    Claim("survey would ask the customers who are there, and nobody else", other_services.check_eligibility),
    Claim("the decisions of cases are announced on the topic", _announced),
    Claim("the audit logs are unbroken", _audited, ("B27",)),
)

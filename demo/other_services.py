"""What the other three services should have made of the day."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from demo.evidence import DayEvidence
from huiqun.contracts.channel import MessageReceived, Role

Member = tuple[str, str]


def check_activity(evidence: DayEvidence) -> Iterator[str]:
    """What speaks against engagement's activity per member: a message counts as it was first sent."""
    wanted: dict[Member, Counter[str]] = {member: Counter() for member in evidence.people}
    for step in evidence.steps:
        if step.expected is not None and isinstance(step.event, MessageReceived):
            wanted[step.event.subject, step.event.data.sender.member_id][step.expected.verdict.value] += 1
    found = {_member(document): document for document in evidence.seen.records["engagement"]}
    present = {(each.group_id, each.member_id) for each in evidence.seen.members["engagement"] if each.is_present}
    yield from (f"{'/'.join(member)} is unknown" for member in wanted.keys() - found.keys())
    for member, document in found.items():
        if document["verdicts"] != wanted.get(member, {}):
            yield f"{'/'.join(member)} wrote {document['verdicts']} instead of {dict(wanted.get(member, {}))}"
        if (member in present) == (member in evidence.left):
            yield f"{'/'.join(member)} is present: {member in present}"


def check_customers(evidence: DayEvidence) -> Iterator[str]:
    """What speaks against crm-sync's customers."""
    wanted: dict[str, set[str]] = {}
    for (group_id, member_id), person in evidence.people.items():
        if person.role is Role.CUSTOMER:
            wanted.setdefault(member_id, set()).add(group_id)
    found: dict[str, set[str]] = {}
    accounts: Counter[str] = Counter()
    for document in evidence.seen.records["crm-sync"]:
        memberships = (each for each in evidence.seen.members["crm-sync"] if each.member_id == document["member_id"])
        found[document["member_id"]] = {each.group_id for each in memberships}
        accounts[document["customer_id"]] += 1
    for customer_id, number in accounts.items():
        if number > 1:  # nobody in the story has two accounts
            yield f"customer {customer_id} is {number} people"
    for member_id in wanted.keys() | found.keys():
        if wanted.get(member_id) != found.get(member_id):
            yield f"{member_id} is in {found.get(member_id)} instead of {wanted.get(member_id)}"


def check_eligibility(evidence: DayEvidence) -> Iterator[str]:
    """What speaks against survey's eligibility per member."""
    wanted = {
        member
        for member, person in evidence.people.items()
        if person.role is Role.CUSTOMER and member not in evidence.left
    }
    found = {
        _member(document)
        for document in evidence.seen.records["survey"]
        if document.get("role") == Role.CUSTOMER and document["in_group"]
    }
    yield from (f"{'/'.join(member)} is missing" for member in wanted - found)
    yield from (f"{'/'.join(member)} should not be there" for member in found - wanted)


def _member(document: Mapping[str, Any]) -> Member:
    return document["group_id"], document["member_id"]

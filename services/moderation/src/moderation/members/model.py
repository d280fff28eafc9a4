"""The check of a roster: who is there as staff and should not be, and which customers look like staff."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from huiqun.contracts.channel import Action, Role
from huiqun.contracts.channel.mentions import AddressedText, Mention, TextSegment, join_texts
from huiqun.contracts.channel.shown_names import clean_group_name
from huiqun.runtime.placeholders import is_placeholder
from moderation.channel_requests.model import MEMBERSHIP_LIFETIME, ActionTerms, staff_task
from moderation.lexicon.matching.folding import strip_text
from moderation.staff.model import Staff

_LEAST_NAME: Final = 2
_NAMED: Final = 10


class Irregularity(StrEnum):
    """What can be wrong with a member of a roster."""

    UNKNOWN_STAFF = "unknown_staff"
    DEPARTED_STAFF = "departed_staff"
    STAFF_LIKE_NAME = "staff_like_name"


_IN_WORDS: Mapping[Irregularity, str] = {
    Irregularity.UNKNOWN_STAFF: "不在授权名单中的工作人员",
    Irregularity.DEPARTED_STAFF: "已离职仍在群内的工作人员",
    Irregularity.STAFF_LIKE_NAME: "昵称疑似冒充工作人员的客户",
}


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """Somebody who is in a group, by the name that is shown there."""

    member_id: str
    role: Role
    display_name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RosterFinding:
    """A member who should be looked at, and what gave rise to it.

    `detail` is the day on which a staff member left, or what a customer's name looks like: a word for staff, or the id
    of the staff member who has it.
    """

    kind: Irregularity
    member_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class RosterReport:
    """A checked roster. Without an authorised list (`listed` is 0) staff cannot be checked, only names can."""

    id: str
    group_id: str
    checked_at: datetime
    members: int
    staff: int
    listed: int
    findings: tuple[RosterFinding, ...]


def check_staff(
    members: Sequence[RosterEntry], authorised: Mapping[str, Staff], today: date
) -> Iterator[RosterFinding]:
    """List members who are there as staff without standing on the list, or although they have left the house.

    Nobody is known by a placeholder for an id, whatever stands on the list.
    """
    for member in members:
        if member.role is not Role.STAFF:
            continue
        staff = None if is_placeholder(member.member_id) else authorised.get(member.member_id)
        if staff is None:
            yield RosterFinding(Irregularity.UNKNOWN_STAFF, member.member_id, "")
        elif staff.has_departed(today):
            yield RosterFinding(Irregularity.DEPARTED_STAFF, member.member_id, str(staff.departed_on))


def check_names(members: Sequence[RosterEntry], staff_words: Sequence[str]) -> Iterator[RosterFinding]:
    """List customers who go by a word for staff, or by the very name of somebody who is staff in the group."""
    words = {strip_text(word): word for word in staff_words}
    taken = {
        name: member.member_id
        for member in members
        if member.role is Role.STAFF
        and _is_name(name := _folded_name(member))
        and not is_placeholder(member.display_name)
    }
    for member in members:
        if member.role is not Role.CUSTOMER:
            continue
        name = _folded_name(member)
        detail = taken.get(name) or next((word for known, word in words.items() if known in name), None)
        if detail is not None:
            yield RosterFinding(Irregularity.STAFF_LIKE_NAME, member.member_id, detail)


def roster_task(report: RosterReport, group: str, owner: str | None, now: datetime) -> Action:
    """Bring what was found to the attention of the group's owner; without one, of whoever looks after the group."""
    terms = ActionTerms(now, "roster", MEMBERSHIP_LIFETIME)
    return staff_task(report.group_id, owner, summarize_report(report, group), terms)


def summarize_report(report: RosterReport, group: str) -> AddressedText:
    """What the owner of the group is told."""
    lines: list[TextSegment] = [
        f"群“{clean_group_name(group) or report.group_id}”的成员核查发现以下情况，请核实并处理："
    ]
    for kind, words in _IN_WORDS.items():
        found = [finding for finding in report.findings if finding.kind is kind]
        if found:
            named = join_texts("、", [Mention(finding.member_id) for finding in found[:_NAMED]])
            more = " 等" if len(found) > _NAMED else ""
            lines.append(join_texts("", [f"{words} {len(found)} 人：", named, more]))
    return join_texts("\n", lines)


def _folded_name(member: RosterEntry) -> str:
    return strip_text(member.display_name)


def _is_name(folded: str) -> bool:
    return len(folded) >= _LEAST_NAME

"""The metrics of moderation, each with the question it answers."""

from typing import Final

from prometheus_client import Counter, Gauge

from huiqun.contracts.moderation import CaseKind, CaseOutcome, GroupMode, Verdict
from huiqun.telemetry.metrics import initialize_series

VERDICTS: Final = Counter(
    "huiqun_moderation_verdicts_total",
    "How are messages judged? A jump in blocks is an attack or a bad rule.",
    ["verdict"],
)
SHADOW_FINDINGS: Final = Counter(
    "huiqun_moderation_shadow_findings_total",
    "How often would a rule that is on trial have spoken? Compare with what you expect before it is put to work.",
    ["rule"],
)
LEXICON_WORDS: Final = Gauge(
    "huiqun_moderation_lexicon_words", "How many words is this process screening with? Replicas should agree."
)
RULEBOOK_REVISION: Final = Gauge(
    "huiqun_moderation_rulebook_revision", "Which revision of policies and lexicon is in force here?"
)
CONSENTS: Final = Counter(
    "huiqun_moderation_consents_total", "How many members agree to the rules, and by what: a reply or a page?", ["by"]
)
ROSTER_FINDINGS: Final = Counter(
    "huiqun_moderation_roster_findings_total", "What do checks of rosters find? Growth is impersonation.", ["kind"]
)
CASES_OPENED: Final = Counter(
    "huiqun_moderation_cases_opened_total", "How much work do rules, members and staff make for people?", ["kind"]
)
CASES_CLOSED: Final = Counter(
    "huiqun_moderation_cases_closed_total",
    "How do people decide? A rising share of reversals of one kind means a rule that is wrong.",
    ["kind", "outcome"],
)
CASES_OVERDUE: Final = Counter(
    "huiqun_moderation_cases_overdue_total", "How many cases passed their response target undecided?", ["kind"]
)
CHANGES_REFUSED: Final = Counter(
    "huiqun_moderation_changes_refused_total",
    "How often is a message changed by somebody who is not entitled to it? Then a channel is at fault.",
    ["change"],
)
initialize_series(CHANGES_REFUSED, change=("edit", "recall"))
REPORTS: Final = Counter(
    "huiqun_moderation_reports_total",
    "What becomes of members' reports? Outcomes: taken, over_limit, void (no such message, or the reporter's own).",
    ["outcome"],
)
INCIDENTS: Final = Counter(
    "huiqun_moderation_incidents_total",
    "How many incidents were proposed, opened, contained, closed? More opened than closed: one is still on.",
    ["what", "drill"],
)
INCIDENT_STEPS: Final = Counter(
    "huiqun_moderation_incident_steps_total",
    "Do the steps of incidents keep to their times? Done in time, late, missed; and how many went overdue.",
    ["outcome", "drill"],
)
GROUP_MODE_CHANGES: Final = Counter(
    "huiqun_moderation_group_mode_changes_total", "How often do groups go quiet, lock down, come back?", ["mode"]
)
LEGAL_HOLDS: Final = Gauge(
    "huiqun_moderation_legal_holds", "How many legal holds does this process archive by? Replicas should agree."
)

_DRILL: Final = ("yes", "no")
initialize_series(VERDICTS, verdict=Verdict)
initialize_series(CONSENTS, by=["reply", "link"])
initialize_series(ROSTER_FINDINGS, kind=["unknown_staff", "departed_staff", "staff_like_name"])
initialize_series(CASES_OPENED, kind=CaseKind)
initialize_series(CASES_CLOSED, kind=CaseKind, outcome=CaseOutcome)
initialize_series(CASES_OVERDUE, kind=CaseKind)
initialize_series(REPORTS, outcome=["taken", "over_limit", "void"])
initialize_series(INCIDENTS, what=["proposed", "opened", "contained", "closed"], drill=_DRILL)
initialize_series(INCIDENT_STEPS, outcome=["in_time", "late", "missed", "overdue"], drill=_DRILL)
initialize_series(GROUP_MODE_CHANGES, mode=GroupMode)

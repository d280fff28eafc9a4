"""The metrics of moderation, each with the question it answers."""

from typing import Final

from prometheus_client import Counter, Gauge

VERDICTS: Final = Counter(
    "huiqun_moderation_verdicts_total",
    "How are messages judged? A jump in blocks is an attack or a bad rule.",
    ["verdict"],
)
FOLLOW_UPS: Final = Counter(
    "huiqun_moderation_follow_ups_total",
    "How often did an action have to be repeated, reminded of, escalated, handed over or given up?",
    ["step"],
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

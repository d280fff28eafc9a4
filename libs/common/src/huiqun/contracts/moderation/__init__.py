"""What moderation decides: verdicts, sanctions, cases, consent, incidents, modes, policies."""

from huiqun.contracts.moderation.cases import (
    CaseClosed,
    CaseKind,
    CaseOpened,
    CaseOutcome,
    ClosedCase,
    OpenedCase,
)
from huiqun.contracts.moderation.incidents import (
    ChangedMode,
    ClosedIncident,
    GroupMode,
    IncidentClosed,
    IncidentOpened,
    ModeChanged,
    OpenedIncident,
)
from huiqun.contracts.moderation.messages import (
    JudgedMessageRecalled,
    MaskedQuotation,
    MessageScreened,
    Reason,
    RecalledMessage,
    RuleName,
    Screened,
    Verdict,
)
from huiqun.contracts.moderation.policies import (
    ActivatedPolicy,
    ConsentGiven,
    GivenConsent,
    PolicyActivated,
)
from huiqun.contracts.moderation.sanctions import (
    LiftedSanction,
    MemberSanctioned,
    Sanction,
    SanctionKind,
    SanctionLifted,
)

__all__ = [
    "ActivatedPolicy",
    "CaseClosed",
    "CaseKind",
    "CaseOpened",
    "CaseOutcome",
    "ChangedMode",
    "ClosedCase",
    "ClosedIncident",
    "ConsentGiven",
    "GivenConsent",
    "GroupMode",
    "IncidentClosed",
    "IncidentOpened",
    "JudgedMessageRecalled",
    "LiftedSanction",
    "MaskedQuotation",
    "MemberSanctioned",
    "MessageScreened",
    "ModeChanged",
    "OpenedCase",
    "OpenedIncident",
    "PolicyActivated",
    "Reason",
    "RecalledMessage",
    "RuleName",
    "Sanction",
    "SanctionKind",
    "SanctionLifted",
    "Screened",
    "Verdict",
]

"""What moderation stores: the indexes of its documents, and what is done when a person asks for their data."""

from collections.abc import Mapping, Sequence

from huiqun.channel.actions.personal_data import ACTION_HOLDINGS
from huiqun.channel.actions.store import ACTION_INDEXES
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.store import DIRECTORY_INDEXES
from huiqun.files.exports.store import EXPORT_INDEXES
from huiqun.privacy.erasure.handlers import PersonRequests
from huiqun.privacy.erasure.shared import shared_holdings
from huiqun.store import Index
from huiqun.tasks.migrations import MIGRATION_INDEXES
from moderation.archive.personal_data import ARCHIVE_HOLDINGS
from moderation.archive.store import ARCHIVE_INDEXES
from moderation.backtest.personal_data import BACKTEST_HOLDINGS
from moderation.backtest.store import BACKTEST_INDEXES
from moderation.cases.personal_data import CASE_HOLDINGS
from moderation.cases.store import CASE_INDEXES
from moderation.consent.personal_data import CONSENT_HOLDINGS
from moderation.consent.store import CONSENT_INDEXES
from moderation.delegations.personal_data import DELEGATION_HOLDINGS
from moderation.delegations.store import DELEGATION_INDEXES
from moderation.examples.personal_data import EXAMPLE_HOLDINGS
from moderation.examples.store import EXAMPLE_INDEXES
from moderation.exports.personal_data import EXPORT_HOLDINGS
from moderation.groups.store import GROUP_INDEXES
from moderation.incident_detection.store import PROPOSAL_INDEXES
from moderation.incidents.personal_data import INCIDENT_HOLDINGS
from moderation.incidents.store import INCIDENT_INDEXES
from moderation.lexicon.store import LEXICON_INDEXES
from moderation.lifecycle.personal_data import EARLY_CHANGE_HOLDINGS
from moderation.lifecycle.store import EARLY_CHANGE_INDEXES
from moderation.members.personal_data import MEMBER_HOLDINGS
from moderation.members.store import MEMBER_INDEXES
from moderation.modes.personal_data import MODE_HOLDINGS
from moderation.modes.store import MODE_INDEXES
from moderation.own_rules.store import OWN_RULE_INDEXES
from moderation.patrols.store import PATROL_INDEXES
from moderation.plans.store import PLAN_INDEXES
from moderation.policies.store import POLICY_INDEXES
from moderation.reports.personal_data import REPORTER_HOLDINGS
from moderation.reports.store import REPORTER_INDEXES
from moderation.retention.personal_data import RETENTION_HOLDINGS
from moderation.retention.store import RETENTION_INDEXES
from moderation.rule_exceptions.personal_data import RULE_EXCEPTION_HOLDINGS
from moderation.rule_exceptions.store import RULE_EXCEPTION_INDEXES
from moderation.staff.personal_data import STAFF_HOLDINGS
from moderation.staff.store import STAFF_INDEXES
from moderation.standings.personal_data import STANDING_HOLDINGS
from moderation.standings.store import STANDING_INDEXES
from moderation.supervision.personal_data import MESSAGE_REVIEW_HOLDINGS
from moderation.supervision.store import MESSAGE_REVIEW_INDEXES
from moderation.welcome.personal_data import WELCOME_HOLDINGS
from moderation.welcome.store import WELCOME_INDEXES

SERVICE = "moderation"
INDEXES: Mapping[str, Sequence[Index]] = {
    **ACTION_INDEXES,
    **DIRECTORY_INDEXES,
    **EXPORT_INDEXES,
    **ARCHIVE_INDEXES,
    **RETENTION_INDEXES,
    **MESSAGE_REVIEW_INDEXES,
    **BACKTEST_INDEXES,
    **CASE_INDEXES,
    **EXAMPLE_INDEXES,
    **PATROL_INDEXES,
    **REPORTER_INDEXES,
    **DELEGATION_INDEXES,
    **MODE_INDEXES,
    **PLAN_INDEXES,
    **INCIDENT_INDEXES,
    **PROPOSAL_INDEXES,
    **LEXICON_INDEXES,
    **EARLY_CHANGE_INDEXES,
    **CONSENT_INDEXES,
    **WELCOME_INDEXES,
    **STAFF_INDEXES,
    **MEMBER_INDEXES,
    **MIGRATION_INDEXES,
    **GROUP_INDEXES,
    **OWN_RULE_INDEXES,
    **POLICY_INDEXES,
    **RULE_EXCEPTION_INDEXES,
    **STANDING_INDEXES,
}


def person_requests(directory: Directory) -> PersonRequests:
    """What is done when somebody asks to be erased, or to see their data."""
    holdings = (
        *shared_holdings(SERVICE, directory),
        *ARCHIVE_HOLDINGS,
        *MESSAGE_REVIEW_HOLDINGS,
        *RETENTION_HOLDINGS,
        *EXPORT_HOLDINGS,
        *CASE_HOLDINGS,
        *EXAMPLE_HOLDINGS,
        *REPORTER_HOLDINGS,
        *ACTION_HOLDINGS,
        *STANDING_HOLDINGS,
        *CONSENT_HOLDINGS,
        *WELCOME_HOLDINGS,
        *STAFF_HOLDINGS,
        *MEMBER_HOLDINGS,
        *RULE_EXCEPTION_HOLDINGS,
        *INCIDENT_HOLDINGS,
        *MODE_HOLDINGS,
        *DELEGATION_HOLDINGS,
        *EARLY_CHANGE_HOLDINGS,
        *BACKTEST_HOLDINGS,
    )
    return PersonRequests(SERVICE, holdings, directory)

"""The HTTP routes of moderation, and what they need."""

from collections.abc import Callable, Sequence

from huiqun.audit import api as audit_api
from huiqun.channel.actions import api as actions_api
from huiqun.channel.directory.handlers import Directory
from huiqun.privacy.erasure import api as person_requests_api
from huiqun.privacy.links import SignedLinks
from huiqun.service.api import HttpInterface
from huiqun.tasks import api as tasks_api
from huiqun.versions.api import FourEyesSetting
from huiqun.web import Router
from moderation.appeals import api as appeals_api
from moderation.archive import api as archive_api
from moderation.backtest import api as backtest_api
from moderation.cases import api as cases_api
from moderation.casework import api as casework_api
from moderation.consent import api as consent_api
from moderation.decisions import api as decisions_api
from moderation.delegations import api as delegations_api
from moderation.documents import SERVICE
from moderation.examples import api as examples_api
from moderation.exports import api as exports_api
from moderation.group_policies import api as group_policies_api
from moderation.incident_openings import api as incident_openings_api
from moderation.incident_reviews import api as incident_reviews_api
from moderation.incident_steps import api as incident_steps_api
from moderation.incidents import api as incidents_api
from moderation.lexicon import api as lexicon_api
from moderation.mediation import api as mediation_api
from moderation.members import api as members_api
from moderation.modes import api as modes_api
from moderation.own_rules import api as own_rules_api
from moderation.patrols import api as patrols_api
from moderation.plans import api as plans_api
from moderation.policies import api as policies_api
from moderation.reports import api as reports_api
from moderation.retention import api as retention_api
from moderation.rule_exceptions import api as rule_exceptions_api
from moderation.rulebook.model import Rulebook, RulebookSource
from moderation.settings import Settings
from moderation.staff import api as staff_api
from moderation.standings import api as standings_api
from moderation.supervision import api as supervision_api
from moderation.verdicts import api as verdicts_api
from moderation.welcome import api as welcome_api

DESCRIPTION = "Group rules, screening, sanctions and review."
ROUTERS = (
    policies_api.router,  # /api/v1/policies
    backtest_api.router,  # /api/v1/policies/{policy_id}/versions/{number}/backtests
    group_policies_api.router,  # /api/v1/groups
    own_rules_api.router,  # /api/v1/groups/{group_id}/policy
    rule_exceptions_api.router,  # /api/v1/exceptions
    members_api.router,  # /api/v1/groups/{group_id}/members
    consent_api.router,  # /api/v1/groups/{group_id}/consents and /rules/{version}
    welcome_api.router,  # /api/v1/groups/{group_id}/rules
    members_api.reports_router,  # /api/v1/groups/{group_id}/roster-reports
    staff_api.router,  # /api/v1/staff
    consent_api.page_router,  # /consent, open to who has a signed link
    standings_api.router,  # /api/v1/groups/{group_id}/members/{member_id}/standing
    lexicon_api.router,  # /api/v1/lexicon/lists
    verdicts_api.router,  # /api/v1/lexicon/scan
    supervision_api.router,  # /api/v1/messages/lookup, /sample and /{message_id}/reviews
    supervision_api.reviews_router,  # /api/v1/message-reviews
    archive_api.router,  # /api/v1/messages
    retention_api.router,  # /api/v1/holds
    exports_api.router,  # /api/v1/exports
    actions_api.router,  # /api/v1/actions
    cases_api.router,  # /api/v1/cases
    casework_api.router,  # /api/v1/cases/{case_id}/claim, /release and /comments
    decisions_api.router,  # /api/v1/cases/{case_id}/uphold, /decline, /reverse and /reclassify
    reports_api.router,  # /api/v1/reports
    appeals_api.router,  # /api/v1/appeals/{token}
    examples_api.router,  # /api/v1/examples
    mediation_api.router,  # /api/v1/cases/{case_id}/mediation
    patrols_api.router,  # /api/v1/groups/{group_id}/patrols
    incidents_api.router,  # /api/v1/incidents
    incident_openings_api.router,  # /api/v1/incidents, to open one
    incident_steps_api.router,  # /api/v1/incidents/{incident_id}/steps
    incident_reviews_api.router,  # /api/v1/incidents/{incident_id}/closure and /report
    plans_api.router,  # /api/v1/incident-plans
    modes_api.router,  # /api/v1/groups/{group_id}/mode
    delegations_api.router,  # /api/v1/delegations
    person_requests_api.router,  # /api/v1/person-requests
    audit_api.router,  # /api/v1/audit
    tasks_api.router,  # /api/v1/tasks
)


def interface(
    settings: Settings,
    rulebook: Callable[[], Rulebook],
    links: SignedLinks,
    directory: Directory,
    routers: Sequence[Router] = ROUTERS,
) -> HttpInterface:
    """Routes of the service, with what they need."""
    four_eyes, hash_key = FourEyesSetting(settings.four_eyes), settings.rotating_hash_key
    provided = (directory, links, RulebookSource(rulebook), four_eyes, hash_key)
    return HttpInterface(service=SERVICE, description=DESCRIPTION, routers=routers, provided=provided)

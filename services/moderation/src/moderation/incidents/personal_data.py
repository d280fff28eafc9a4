"""What incidents hold of people: of staff, who had to do what; of members nothing."""

from datetime import timedelta

from huiqun.privacy.erasure.holdings import unsearched_holding
from moderation.incidents.store.delegations import DELEGATIONS
from moderation.incidents.store.incidents import INCIDENTS, PROPOSALS, TIMELINE
from moderation.incidents.store.modes import HOLDS
from moderation.incidents.store.plans import PLAN_VERSIONS

HOLDINGS = (
    unsearched_holding(
        "员工在突发事件中的经办记录（仅限员工）",
        (INCIDENTS, TIMELINE, HOLDS, DELEGATIONS),
        "事件处置与授权的证明，保存五年",
        timedelta(days=1_827),
    ),
)
NOTHING_HELD = {
    PROPOSALS: "which incidents were proposed, for a day",
    PLAN_VERSIONS.versions: "plans, with the staff who wrote and approved them",
    PLAN_VERSIONS.heads: "which versions of plans are in force",
}

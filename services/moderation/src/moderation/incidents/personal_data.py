"""What incidents hold of people: of staff, who had to do what; of members nothing."""

from datetime import timedelta
from typing import Final

from huiqun.privacy.erasure.holdings import unsearched_holding
from moderation.incidents.store import INCIDENTS, TIMELINE

INCIDENT_HOLDINGS: Final = (
    unsearched_holding(
        "员工在突发事件中的经办记录（仅限员工）",
        (INCIDENTS, TIMELINE),
        "事件处置的证明，保存五年",
        timedelta(days=1_827),
    ),
)

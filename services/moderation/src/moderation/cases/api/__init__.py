"""Routes of cases, reports, labelled examples and appeals."""

from moderation.cases.api.appeals import router as appeals_router
from moderation.cases.api.cases import router as cases_router
from moderation.cases.api.examples import router as examples_router
from moderation.cases.api.mediation import router as mediation_router
from moderation.cases.api.patrols import router as patrols_router
from moderation.cases.api.reports import router as reports_router

__all__ = [
    "appeals_router",
    "cases_router",
    "examples_router",
    "mediation_router",
    "patrols_router",
    "reports_router",
]

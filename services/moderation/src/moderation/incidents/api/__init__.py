"""Routes of incidents, their plans, the modes of groups, and delegated authority."""

from moderation.incidents.api.delegations import router as delegations_router
from moderation.incidents.api.incidents import router as incidents_router
from moderation.incidents.api.modes import router as modes_router
from moderation.incidents.api.plans import router as plans_router

__all__ = ["delegations_router", "incidents_router", "modes_router", "plans_router"]

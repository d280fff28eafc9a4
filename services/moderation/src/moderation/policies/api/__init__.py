"""Routes of policies and of the groups that have them."""

from moderation.policies.api.groups import router as groups_router
from moderation.policies.api.policies import router as policies_router

__all__ = ["groups_router", "policies_router"]

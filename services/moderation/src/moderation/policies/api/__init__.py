"""Routes of policies, of the groups that have them, and of exceptions to their rules."""

from moderation.policies.api.exceptions import router as exceptions_router
from moderation.policies.api.group_policy import router as group_policy_router
from moderation.policies.api.groups import router as groups_router
from moderation.policies.api.policies import router as policies_router

__all__ = ["exceptions_router", "group_policy_router", "groups_router", "policies_router"]

"""Routes of members, their consents, the rules, roster reports and authorised staff, and the page to agree on."""

from moderation.membership.api.consent_page import router as page_router
from moderation.membership.api.groups import router as members_router
from moderation.membership.api.reports import router as reports_router
from moderation.membership.api.staff import router as staff_router

__all__ = ["members_router", "page_router", "reports_router", "staff_router"]

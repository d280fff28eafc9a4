"""The people who work on incidents, and the groups that they do it in."""

from tests.moderation.incidents.people import admin, approver, auditor, moderator, rig

__all__ = ["admin", "approver", "auditor", "moderator", "rig"]

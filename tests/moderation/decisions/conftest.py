"""A group with an owner, and the people who ask the interface about it."""

from tests.moderation.founded_group import rig, service

__all__ = ["rig", "service"]

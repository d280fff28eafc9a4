"""A group with an owner, under the policy that comes with Huiqun."""

from tests.moderation.founded_group import rig

__all__ = ["rig"]

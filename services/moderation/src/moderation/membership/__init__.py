"""Membership: who is in a group, how they are welcomed, what they agreed to, and whether they belong there."""

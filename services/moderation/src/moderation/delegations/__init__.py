"""Delegations: rights of moderators, given to somebody for an emergency, for some groups and some time."""

"""Standings: what a member has done in a group, and the ladder from warning to removal."""

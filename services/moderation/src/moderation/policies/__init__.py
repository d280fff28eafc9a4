"""Policies: what is allowed in a group, as versioned data, in force without a restart."""

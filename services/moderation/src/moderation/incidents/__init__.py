"""Incidents: plans for a crisis, group modes, delegated authority, and drills of all that."""

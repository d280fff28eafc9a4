"""The steps of an incident: assigned to their owners, reminded of, escalated, completed."""

"""Incidents: a crisis or the drill of one, how far it is, the mode it asks of its groups, and its timeline."""

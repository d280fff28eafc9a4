"""Enforcement: what is asked of the channel, and what became of it."""

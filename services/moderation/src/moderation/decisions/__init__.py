"""Decisions: how people close cases, and what follows."""

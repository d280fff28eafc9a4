"""Verdicts: how a single message is judged under its policy."""

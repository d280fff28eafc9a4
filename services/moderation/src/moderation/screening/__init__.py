"""Screening: where a message is judged. Start at handlers.py, then model.py."""

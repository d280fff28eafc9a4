"""Supervision: samples of messages, opinions on them, and who wrote a piece of personal data."""

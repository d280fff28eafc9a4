"""Rosters, consent, words to members, and the check of a roster. Pure."""

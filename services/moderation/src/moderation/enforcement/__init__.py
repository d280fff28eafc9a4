"""Enforcement: the sanctions that follow from offences."""

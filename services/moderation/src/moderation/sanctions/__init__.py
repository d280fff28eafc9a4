"""Sanctions: what follows from an offence, and its reversal with all that followed."""

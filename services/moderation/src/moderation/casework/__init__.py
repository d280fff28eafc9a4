"""Casework: who works on a case, and what they tell one another."""

"""Eligibility: who may be asked, and why somebody may not."""

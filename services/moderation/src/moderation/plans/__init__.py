"""Incident plans: how a kind of crisis is met, step by step, in versions that operators write."""

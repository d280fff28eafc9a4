"""Engagement: how members take part, and what they are given for it."""

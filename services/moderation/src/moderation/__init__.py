"""Moderation: group rules, screening, sanctions, review, and the record of it all."""

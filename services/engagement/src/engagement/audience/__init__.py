"""The audience: who is in a group, since when, and how active."""

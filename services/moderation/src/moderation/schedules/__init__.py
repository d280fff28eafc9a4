"""Schedules: what a group's policy has done at set times, and when each of it is due next."""

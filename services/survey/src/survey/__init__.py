"""Survey: what customers think, and what was done about it."""

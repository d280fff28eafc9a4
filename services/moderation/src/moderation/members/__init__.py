"""Members: who is in a group, and whether they belong there."""

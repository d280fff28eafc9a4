"""Which policy each group is assigned, and what holds there."""

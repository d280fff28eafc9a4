"""Links and offers of contact that lead outside of the group."""

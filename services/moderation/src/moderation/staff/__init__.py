"""Staff: who is authorised to be in groups for the operator, and who is staff of a group."""

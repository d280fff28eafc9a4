"""Reports: what members and staff say of messages, and how far to trust who says it."""

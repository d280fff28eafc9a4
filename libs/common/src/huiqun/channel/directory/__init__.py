"""The directory: what each group is, and who is in it in what role; the same in whatever order events come."""

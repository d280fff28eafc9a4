"""Real input: any CSV or JSONL file sent through the running system, and counted on the other side."""

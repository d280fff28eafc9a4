"""The use cases of cases: opening them, asking for them, working the queue, deciding."""

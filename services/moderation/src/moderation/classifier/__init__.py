"""The classifier: how much a text resembles abuse."""

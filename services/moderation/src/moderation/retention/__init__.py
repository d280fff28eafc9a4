"""Retention: until when messages are kept, by policy and by legal holds."""

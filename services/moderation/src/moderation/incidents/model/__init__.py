"""The rules of incidents: pure functions and values, without input or output."""

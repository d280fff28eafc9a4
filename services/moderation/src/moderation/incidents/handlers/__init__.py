"""Use cases of incidents: what a person asks for, and what becomes due."""

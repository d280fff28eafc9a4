"""A service's process: its settings, its connections, its parts, its start and its stop."""

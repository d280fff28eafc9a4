"""Outgoing HTTP: one client for each other system, with bounded waits, retries and a circuit breaker."""

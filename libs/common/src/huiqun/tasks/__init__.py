"""Durable work: later, now or periodic; run once however many replicas there are, and caught up after downtime."""

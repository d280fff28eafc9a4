"""The events and topics: one module per owner, and the only place where an event is defined."""

"""Detection: an incident is proposed to a person where many messages are blocked."""

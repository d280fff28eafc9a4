"""The archive: every judged message, masked, in order."""

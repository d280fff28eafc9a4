"""What becomes of a message after it was sent: edits and recalls, by whomever and in whatever order they come."""

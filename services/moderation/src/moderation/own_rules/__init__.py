"""What a group changes in its policy, for itself alone."""

"""What the channel and people have told of groups: their settings."""

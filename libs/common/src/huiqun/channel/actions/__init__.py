"""What the channel is asked to do, followed to its outcome."""

"""What the services share about the chat platform: who is where, and what it is asked to do."""

"""Replay: archived messages judged once more, under other rules."""

"""Oversize: how much of a message is judged and kept."""

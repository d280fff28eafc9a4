"""Reviews of incidents: the closing, the score, the report, and the draft of a better plan."""

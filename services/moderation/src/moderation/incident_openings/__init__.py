"""Openings of incidents: in earnest, or as a drill that may follow a script."""

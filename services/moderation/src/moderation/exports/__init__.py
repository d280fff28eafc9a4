"""Exports: what was said in groups, in files."""

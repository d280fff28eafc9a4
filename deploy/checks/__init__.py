"""Checks of the repository that no off-the-shelf tool makes."""

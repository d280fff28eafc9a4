"""Patrols: rounds through groups, by schedule or when asked."""

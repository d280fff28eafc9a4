"""Exceptions to rules, for a member or a whole group."""

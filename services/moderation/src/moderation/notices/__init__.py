"""Notices: what members and staff are told, and in which words."""

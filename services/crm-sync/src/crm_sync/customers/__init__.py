"""Customers: one record for each person, whatever ids they appear under and however many groups they are in."""

"""Invitations: members are asked to agree to the rules, with a page of their own where there is one, and reminded."""

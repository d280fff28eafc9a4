"""Consent: what members agree to, how they are asked, reminded and heard, and what follows where they have not."""

"""Errors that mean the same wherever they are raised."""


class NotFoundError(LookupError):
    """There is no such thing."""

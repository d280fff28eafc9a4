"""Errors that an operator has to mend, told in one sentence."""


class MisconfigurationError(Exception):
    """A server answers, but not as this process needs it: the message names the setting to change, and no secret.

    Others may mend it on the server's side at any time, so it is waited for like a server that is away.
    """

"""Who works at the shell, as the audit log names them."""

import getpass


def shell_actor() -> str:
    """The user's name; a container may run under a number that has none."""
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):
        return "shell:unknown"

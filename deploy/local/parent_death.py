"""Run a command so that the kernel ends it when the process that started it is gone, even by kill -9 (Linux only)."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def signal_on_parent_death(number: signal.Signals) -> None:
    """Ask the kernel for a signal when the thread that started this process is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def main() -> None:
    """Become the command: argv is the parent's process id and the command with its arguments."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    signal_on_parent_death(signal.SIGKILL)
    if os.getppid() != parent:  # it died before the request above was made
        sys.exit(1)
    try:
        os.execv(command[0], command)  # noqa: S606 (becoming the command is the purpose)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()

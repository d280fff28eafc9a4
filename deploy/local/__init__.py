"""Huiqun on one machine: the embedded stack, the services, a channel, replays of files."""

import sys

if sys.argv[:1] == ["-m"]:  # so it is while `python -m local...` looks for its module, and never later
    from local import interrupts

    interrupts.install_handlers()  # the imports of that module take a second, in which somebody may press Ctrl-C

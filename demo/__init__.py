"""A bank's day in three groups and the morning after, played on a running system: `make demo`."""

import sys

if sys.argv[:1] == ["-m"]:  # so it is while `python -m demo...` looks for its module, and never later
    from local import interrupts

    interrupts.install_handlers()  # the imports of that module take a second, in which somebody may press Ctrl-C

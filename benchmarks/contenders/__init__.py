"""The processes that do moderation's job in other ways, to compare it with."""

import gc

# A consumer has one fetch open at a time. Where that asks only for a partition that has run dry, the others wait for
# its answer: with the default of 500 ms that would be half of a short run.
FETCH_WAIT_MILLISECONDS = 50


def tune_collector() -> None:
    """Give this process the garbage collection of a service, so that no contender is ahead by it."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)

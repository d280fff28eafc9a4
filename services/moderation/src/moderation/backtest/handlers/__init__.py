"""The use cases of backtests: ask for one, run it, call it off."""

from moderation.backtest.handlers.asking import (
    UnfitBacktestError,
    UnknownBacktestError,
    cancel_backtest,
    find_backtest,
    list_backtests,
    request_backtest,
)
from moderation.backtest.handlers.carrying_out import carry_out
from moderation.backtest.handlers.running import run_trial

__all__ = [
    "UnfitBacktestError",
    "UnknownBacktestError",
    "cancel_backtest",
    "carry_out",
    "find_backtest",
    "list_backtests",
    "request_backtest",
    "run_trial",
]

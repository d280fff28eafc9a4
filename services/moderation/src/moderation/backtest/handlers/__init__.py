"""The use cases of backtests: ask for one, run it, call it off."""

from moderation.backtest.handlers.asking import (
    UnfitBacktestError,
    UnknownBacktestError,
    cancel_backtest,
    find_backtest,
    list_backtests,
    request_backtest,
)
from moderation.backtest.handlers.runner import BacktestRunner
from moderation.backtest.handlers.running import run_trial

__all__ = [
    "BacktestRunner",
    "UnfitBacktestError",
    "UnknownBacktestError",
    "cancel_backtest",
    "find_backtest",
    "list_backtests",
    "request_backtest",
    "run_trial",
]

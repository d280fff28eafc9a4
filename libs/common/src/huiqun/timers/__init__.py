"""Durable timers: due work that survives restarts, runs once, and catches up in order."""

from huiqun.timers.model import Timer, TimerHandler
from huiqun.timers.store import TIMER_INDEXES

__all__ = ["TIMER_INDEXES", "Timer", "TimerHandler"]

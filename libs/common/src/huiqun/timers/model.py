"""A timer: what to do, when, and under which key it can be taken back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from huiqun.stream.work import Work


@dataclass(frozen=True, slots=True)
class Timer:
    """Work of `kind` that is due at `due`; scheduling a key again moves it."""

    key: str
    kind: str
    due: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 0


TimerHandler: TypeAlias = "Callable[[Timer, Work], Awaitable[None]]"

"""What a service's routes need beside the store: each asks for it by its class, and an app that lacks one is not made.

directory: Annotated[Directory, provided(Directory)]
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from fastapi import Depends
from starlette.applications import Starlette
from starlette.requests import Request

T = TypeVar("T")


class Provisions:
    """What the composition root gives to the routes, one of each class."""

    def __init__(self, values: Iterable[object] = ()) -> None:
        """ValueError where two are of one class: which of them a route gets would be chance."""
        self._by_class: dict[type, object] = {}
        for value in values:
            if type(value) in self._by_class:
                raise ValueError(f"{type(value).__name__} is provided twice")
            self._by_class[type(value)] = value

    def __contains__(self, kind: type) -> bool:
        return kind in self._by_class

    def get_or_make(self, kind: type[T], make: Callable[[], T]) -> T:
        """Return what is there of this class; the first time, what `make` returns."""
        if kind not in self:
            self._by_class[kind] = make()
        return self.get(kind)

    def get(self, kind: type[T]) -> T:
        """Return what was given of this class; LookupError where nothing was."""
        if kind not in self._by_class:
            raise LookupError(f"no {kind.__name__} is provided to the routes of this service")
        return cast("T", self._by_class[kind])


@dataclass(frozen=True, slots=True)
class ProvidedValue(Generic[T]):
    """Marks a route with what it needs, and gives that to the endpoint."""

    kind: type[T]

    def __call__(self, request: Request) -> T:
        """Return the value; the check at start has seen that it is there."""
        return provisions_of(request).get(self.kind)


def provided(kind: type) -> Any:  # noqa: ANN401 - what FastAPI's Depends returns
    """Ask for what the composition root provides of this class."""
    return Depends(ProvidedValue(kind))


def provide(app: Starlette, provisions: Provisions) -> None:
    """Give these to the routes of an app."""
    app.state.provisions = provisions


def provisions_of(request: Request) -> Provisions:
    """Return what the routes of the app were given."""
    provisions: Provisions = request.app.state.provisions
    return provisions

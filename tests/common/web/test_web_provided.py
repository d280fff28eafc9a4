"""What routes need beside the store is asked for by its class; an app that lacks it is not made."""

from dataclasses import dataclass
from typing import Annotated, TypeVar

import pytest

from huiqun.store import connect
from huiqun.web import AppOptions, Router, UnsafeRoutesError, create_app
from huiqun.web.provided import Provisions, provided
from huiqun.work.transactor import UseCase

T = TypeVar("T")
router = Router("/api/v1/tides", tag="tides", role="viewer")


@dataclass(frozen=True)
class Moon:
    """What the routes of this test need."""

    phase: str


@router.get("", summary="Read the tide")
async def read_tide(moon: Annotated[Moon, provided(Moon)]) -> str:
    return moon.phase


async def never(use_case: UseCase[T]) -> T:
    raise NotImplementedError(use_case)


def options(*given: object) -> AppOptions:
    return AppOptions(
        title="Tides",
        version="1",
        description="x",
        db=connect("mongodb://nowhere")["none"],
        transact=never,
        routers=[router],
        alive=lambda: True,
        checks={},
        provided=given,
    )


def test_an_app_whose_routes_lack_something_is_not_made() -> None:
    with pytest.raises(UnsafeRoutesError, match="GET /api/v1/tides: needs a Moon, which is not provided"):
        create_app(options())
    assert create_app(options(Moon("full"))).state.provisions.get(Moon) == Moon("full")


def test_two_of_one_class_are_refused_and_what_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="Moon is provided twice"):
        Provisions([Moon("new"), Moon("full")])
    with pytest.raises(LookupError, match="no Moon"):
        Provisions().get(Moon)

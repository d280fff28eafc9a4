"""Every collection of every service is named by a holding, or declared to hold nothing of a person."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any

import pytest

from huiqun.privacy.encryption import KEY_VAULT
from huiqun.privacy.erasure.shared import NOTHING_HELD
from huiqun.service.connections import SHARED_INDEXES
from tests.directories import unread_directory
from tests.privacy.conftest import Day
from tests.privacy.house import SERVICES


def declared_empty(module: Any) -> dict[str, str]:
    """The collections that hold nothing of a person, and why, by what the slices say."""
    package = importlib.import_module(module.__name__.partition(".")[0])
    found = dict(NOTHING_HELD)
    for slice_ in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if slice_.ispkg and (data := _personal_data(slice_.name)) is not None:
            found |= getattr(data, "NOTHING_HELD", {})
    return found


def _personal_data(slice_: str) -> ModuleType | None:
    names = [each.name for each in pkgutil.iter_modules(importlib.import_module(slice_).__path__)]
    return importlib.import_module(f"{slice_}.personal_data") if "personal_data" in names else None


def named_by_holdings(module: Any) -> set[str]:
    holdings = module.person_requests(unread_directory()).holdings
    return {collection for each in holdings for collection in each.collections}


@pytest.mark.parametrize("name", SERVICES)
def test_every_collection_is_named_by_a_holding_or_declared_to_hold_nothing(name: str) -> None:
    module: Any = SERVICES[name]
    named, empty = named_by_holdings(module), declared_empty(module)
    assert named & empty.keys() == set()
    assert named | empty.keys() == {*SHARED_INDEXES, *module.INDEXES, KEY_VAULT}
    assert all(empty.values())


@pytest.mark.parametrize("name", SERVICES)
def test_no_two_holdings_go_by_the_same_words(name: str) -> None:
    module: Any = SERVICES[name]
    holdings = module.person_requests(unread_directory()).holdings
    assert len({each.what for each in holdings}) == len(holdings)


async def test_no_service_makes_a_collection_that_is_not_declared(day: Day) -> None:
    for name, service in day.house.services.items():
        module: Any = SERVICES[name]
        known = named_by_holdings(module) | declared_empty(module).keys()
        assert set(await service.connected.database.list_collection_names()) - known == set()

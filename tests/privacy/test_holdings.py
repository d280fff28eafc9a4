"""Every collection of every service is named by a holding, or declared to hold nothing of a person."""

from typing import Any

import pytest

from huiqun.privacy.encryption import KEY_VAULT
from huiqun.service.connections import SHARED_INDEXES
from tests.directories import detached_directory
from tests.privacy.holdings import declared_empty, named_by_holdings
from tests.privacy.house import SERVICES


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
    holdings = module.person_requests(detached_directory()).holdings
    assert len({each.what for each in holdings}) == len(holdings)

"""The interfaces of the four services, as whoever writes a client reads them."""

from collections.abc import Sequence
from typing import TypeVar

import pytest
from fastapi import APIRouter

import crm_sync.interface
import engagement.interface
import moderation.interface
import survey.interface
from huiqun.store import connect
from huiqun.web import AppOptions, create_app, list_undocumented
from huiqun.work.transactor import UseCase

T = TypeVar("T")

ROUTERS = {
    "moderation": moderation.interface.ROUTERS,
    "engagement": engagement.interface.ROUTERS,
    "crm-sync": crm_sync.interface.ROUTERS,
    "survey": survey.interface.ROUTERS,
}


async def never(use_case: UseCase[T]) -> T:
    raise NotImplementedError(use_case)


@pytest.mark.parametrize("service", ROUTERS)
def test_nothing_in_the_interface_of_a_service_lacks_words(service: str) -> None:
    routers: Sequence[APIRouter] = ROUTERS[service]
    app = create_app(
        AppOptions(
            title="Tested",
            version="1",
            description="x",
            db=connect("mongodb://nowhere")["none"],
            transact=never,
            routers=routers,
            alive=lambda: True,
            checks={},
        )
    )
    assert "\n".join(list_undocumented(app)) == ""

"""The interfaces of the four services, as whoever writes a client reads them."""

from collections.abc import Sequence

import pytest
from fastapi import APIRouter, FastAPI

import crm_sync.interface
import engagement.interface
import moderation.interface
import survey.interface
from huiqun.web import list_undocumented

ROUTERS = {
    "moderation": moderation.interface.ROUTERS,
    "engagement": engagement.interface.ROUTERS,
    "crm-sync": crm_sync.interface.ROUTERS,
    "survey": survey.interface.ROUTERS,
}


@pytest.mark.parametrize("service", ROUTERS)
def test_nothing_in_the_interface_of_a_service_lacks_words(service: str) -> None:
    routers: Sequence[APIRouter] = ROUTERS[service]
    app = FastAPI(title="Tested", version="1", description="x")
    for router in routers:
        app.router.routes.extend(router.routes)
    assert "\n".join(list_undocumented(app)) == ""

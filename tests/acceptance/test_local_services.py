"""A service that does not come up, or goes away, is named with the end of its log."""

from pathlib import Path

import pytest

from local.errors import ServerFailedError
from local.services import Service, ServiceEndedError, running_services, watch_services


async def test_a_service_that_fails_to_start_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(ServerFailedError, match="No module named nosuch_service"):
        async with running_services(["nosuch-service"], {}, tmp_path):
            pass


async def test_a_service_that_is_gone_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    service = Service("moderation", {}, tmp_path)
    service.log.write_text("the broker has bitten me\n", encoding="utf-8")
    with pytest.raises(ServiceEndedError, match=r"moderation has ended.*\n.*the broker has bitten me"):
        await watch_services([service])

"""What an orchestrator asks: is the process alive, and may it get traffic."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from fastapi import APIRouter
from pydantic import BaseModel, Field

from huiqun.runtime.misconfiguration import MisconfigurationError
from huiqun.store import explain
from huiqun.telemetry import metrics
from huiqun.web.flights import SingleFlight
from huiqun.web.problems import Problem
from huiqun.web.routing import Router

#: Asks one dependency for an answer and raises if there is none.
Check = Callable[[], Awaitable[object]]
_CHECK_SECONDS: Final = 3.0
log = structlog.get_logger(__name__)


class NotReadyError(Exception):
    """Why something is not ready, in words that anybody may read."""


class Health(BaseModel):
    """The answer when all is well."""

    status: str = Field(description='"alive" or "ready".', examples=["ready"])
    checks: list[str] = Field(default=[], description="What was asked and answered.", examples=[["broker", "store"]])


def health_routes(alive: Callable[[], bool], checks: Mapping[str, Check]) -> APIRouter:
    """Make the two routes that are open to everyone inside the cluster."""
    router = Router("", tag="health", role="anyone")

    async def ask_all() -> list[Exception | None]:
        return await asyncio.gather(*(_answers(name, check) for name, check in checks.items()))

    asked = SingleFlight(ask_all)  # however many want to know, store and broker are asked by one of them

    @router.get("/healthz", summary="Are the loops of this process alive?")
    async def healthz() -> Health:
        if not alive():
            raise Problem(503, "stuck", "A loop of this process has ended or hangs; restart it.")
        return Health(status="alive")

    @router.get("/readyz", summary="Do the broker and the store answer?")
    async def readyz() -> Health:
        failures = {name: error for name, error in zip(checks, await asked(), strict=True) if error is not None}
        if failures:
            raise Problem(503, "not-ready", _failed(failures))
        return Health(status="ready", checks=list(checks))

    return router


def _failed(failures: Mapping[str, Exception]) -> str:
    """Who does not answer, and what there is to do where that is known."""
    names = [f"{name} ({error})" if isinstance(error, NotReadyError) else name for name, error in failures.items()]
    to_do = dict.fromkeys(str(error) for error in failures.values() if isinstance(error, MisconfigurationError))
    return " ".join([f"No answer from: {', '.join(names)}.", *(f"{sentence}." for sentence in to_do)])


async def _answers(name: str, check: Check) -> Exception | None:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever a dependency fails with, it is not ready
        known = error if isinstance(error, MisconfigurationError) else explain(error)
        log.warning("not ready", check=name, error=repr(error)[:300] if known is None else str(known))
        metrics.READY.labels(check=name).set(0)
        return known or error
    metrics.READY.labels(check=name).set(1)
    return None

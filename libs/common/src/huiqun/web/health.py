"""What an orchestrator asks: is the process alive, and may it get traffic."""

from collections.abc import Callable, Mapping
from functools import partial

from fastapi import APIRouter
from pydantic import BaseModel, Field

from huiqun.runtime.misconfiguration import MisconfigurationError
from huiqun.web.problems import Problem
from huiqun.web.readiness import Check, failing_checks
from huiqun.web.routing import Router
from huiqun.web.single_flight import SingleFlight


class NotReadyError(Exception):
    """Why something is not ready, in words that anybody may read."""


class Health(BaseModel):
    """The answer when all is well."""

    status: str = Field(description='"alive" or "ready".', examples=["ready"])
    checks: list[str] = Field(default=[], description="What was asked and answered.", examples=[["broker", "store"]])


def health_routes(alive: Callable[[], bool], checks: Mapping[str, Check]) -> APIRouter:
    """Make the two routes that are open to everyone inside the cluster."""
    router = Router("", tag="health", role="anyone")
    # However many want to know, store and broker are asked by one of them.
    asked = SingleFlight(partial(failing_checks, checks))

    @router.get("/healthz", summary="Are the loops of this process alive?")
    async def healthz() -> Health:
        if not alive():
            raise Problem(503, "stuck", "A loop of this process has ended or hangs; restart it.")
        return Health(status="alive")

    @router.get("/readyz", summary="Do the broker and the store answer?")
    async def readyz() -> Health:
        if failures := await asked():
            raise Problem(503, "not-ready", _failed(failures))
        return Health(status="ready", checks=list(checks))

    return router


def _failed(failures: Mapping[str, Exception]) -> str:
    """Who does not answer, and what there is to do where that is known."""
    names = [f"{name} ({error})" if isinstance(error, NotReadyError) else name for name, error in failures.items()]
    to_do = dict.fromkeys(str(error) for error in failures.values() if isinstance(error, MisconfigurationError))
    return " ".join([f"No answer from: {', '.join(names)}.", *(f"{sentence}." for sentence in to_do)])

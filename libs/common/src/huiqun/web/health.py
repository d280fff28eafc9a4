"""What an orchestrator asks: is the process alive, may it get traffic, and how is it doing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field
from starlette.responses import Response

from huiqun.telemetry import metrics
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
    """Make the three routes that are open to everyone inside the cluster."""
    router = Router("", tag="health", role="anyone")

    @router.get("/healthz", summary="Are the loops of this process alive?")
    async def healthz() -> Health:
        if not alive():
            raise Problem(503, "stuck", "A loop of this process has ended or hangs; restart it.")
        return Health(status="alive")

    @router.get("/readyz", summary="Do the broker and the store answer?")
    async def readyz() -> Health:
        answers = await asyncio.gather(*(_silence(name, check) for name, check in checks.items()))
        silent = [f"{name}{reason}" for name, reason in zip(checks, answers, strict=True) if reason is not None]
        if silent:
            raise Problem(503, "not-ready", f"No answer from: {', '.join(silent)}.")
        return Health(status="ready", checks=list(checks))

    @router.get("/metrics", summary="The figures of this process for Prometheus", response_class=Response)
    async def read_metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _silence(name: str, check: Check) -> str | None:
    """None where the dependency answers; else what there is to say about why it does not, in brackets."""
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever a dependency fails with, it is not ready
        log.warning("not ready", check=name, error=repr(error)[:300])
        metrics.READY.labels(check=name).set(0)
        return f" ({error})" if isinstance(error, NotReadyError) else ""
    metrics.READY.labels(check=name).set(1)
    return None

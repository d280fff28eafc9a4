"""Whether the process may get traffic: asked of everything it depends on, every two seconds and whenever asked."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from huiqun.runtime.misconfiguration import MisconfigurationError
from huiqun.runtime.waiting import wait_for_stop
from huiqun.store import explain_store_error
from huiqun.telemetry import describe_error, metrics

#: Asks one dependency for an answer and raises if there is none.
Check = Callable[[], Awaitable[object]]
_CHECK_SECONDS: Final = 3.0
_EVERY_SECONDS: Final = 2.0
_log = structlog.get_logger(__name__)


async def failing_checks(checks: Mapping[str, Check]) -> dict[str, Exception]:
    """Ask all dependencies at once; which did not answer within 3 s, and why."""
    outcomes = await asyncio.gather(*(_ask(check) for check in checks.values()))
    return {name: error for name, error in zip(checks, outcomes, strict=True) if error is not None}


async def watch_readiness(checks: Mapping[str, Check], stop: asyncio.Event) -> None:
    """Export what each check says until `stop` is set, whether or not anybody asks for it over HTTP."""
    failing: dict[str, Exception] = {}
    while not stop.is_set():
        before, failing = failing, await failing_checks(checks)
        for name in checks:
            metrics.READY.labels(check=name).set(name not in failing)
        for name in failing.keys() - before.keys():
            error = failing[name]
            said = str(error) if isinstance(error, MisconfigurationError) else describe_error(error)
            _log.warning("check_failing", check=name, error=said)
        for name in before.keys() - failing.keys():
            _log.info("check_passing", check=name)
        await wait_for_stop(stop, _EVERY_SECONDS)


async def _ask(check: Check) -> Exception | None:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever a dependency fails with, it is not ready
        return error if isinstance(error, MisconfigurationError) else explain_store_error(error) or error
    return None

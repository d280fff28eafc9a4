"""The life of a service's process: from the command line and the settings to a clean way down."""

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog
import uvloop
from pydantic import ValidationError

from huiqun.runtime.health import Heartbeat
from huiqun.service.components import ignore_stop_signals
from huiqun.service.settings import ServiceSettings, describe_settings_errors
from huiqun.telemetry import configure_logs, log_uncaught, start_tracing, stop_tracing

ROLES = ("streams", "tasks", "api")
SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
_log = structlog.get_logger(__name__)


def parse_roles(arguments: Sequence[str], service: str) -> frozenset[str]:
    """The roles that the command line asks for; all of them by default."""
    parser = argparse.ArgumentParser(prog=f"python -m {service}", description=f"Run the {service} service.")
    parser.add_argument(
        "--roles",
        default=",".join(ROLES),
        help="which parts to run, separated by commas: streams (consume events), tasks (due work), api (HTTP)",
    )
    asked = frozenset(part.strip() for part in parser.parse_args(arguments).roles.split(",") if part.strip())
    if unknown := asked - set(ROLES):
        parser.error(f"unknown roles: {', '.join(sorted(unknown))}; there are {', '.join(ROLES)}")
    return asked


def run_service(
    service: str, kind: type[SettingsT], main: Callable[[SettingsT, frozenset[str], asyncio.Event], Awaitable[None]]
) -> None:
    """The whole life of a service's process; exits with 2 when its settings are wrong, with 1 when a part fails."""
    roles = parse_roles(sys.argv[1:], service)
    try:
        settings = kind()
    except ValidationError as error:
        sys.stderr.writelines(f"{line}\n" for line in describe_settings_errors(kind, error))
        sys.exit(2)
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        sys.stderr.write("PROMETHEUS_MULTIPROC_DIR: unset it; each process has a /metrics of its own to be scraped\n")
        sys.exit(2)
    configure_logs(service, settings.log_level)
    log_uncaught()
    Heartbeat.stuck_seconds = settings.stuck_seconds
    for sentence in settings.warnings(settings.mongo_url):
        _log.warning("unsafe_setting", advice=sentence)
    start_tracing(f"huiqun-{service}")
    # Batches are short-lived: fewer, later collections of the oldest generation.
    gc.set_threshold(200_000, 20, 50)
    # A thread that computes hands the interpreter back to the event loop after a millisecond instead of five.
    sys.setswitchinterval(0.001)
    try:
        uvloop.run(_main(settings, roles, main))
    except Exception:  # noqa: BLE001 - it is logged, and the exit status tells
        _log.exception("service_stopped", roles=sorted(roles))
        sys.exit(1)
    finally:
        stop_tracing()


async def _main(
    settings: SettingsT,
    roles: frozenset[str],
    main: Callable[[SettingsT, frozenset[str], asyncio.Event], Awaitable[None]],
) -> None:
    try:
        await main(settings, roles, asyncio.Event())
    finally:
        ignore_stop_signals()

"""What every service needs around its slices: connections, roles, an HTTP interface, and a clean way down."""

import argparse
import asyncio
import contextlib
import gc
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from typing import Any, TypeVar

import structlog
import uvloop
from aiokafka.errors import KafkaError
from fastapi import APIRouter
from pydantic import ValidationError

from huiqun.audit import AUDIT_INDEXES
from huiqun.runtime.clock import Clock, SystemClock
from huiqun.runtime.health import Heartbeat
from huiqun.runtime.misconfiguration import MisconfigurationError
from huiqun.runtime.parts import Part, ending, ignore_stop_signals
from huiqun.runtime.readiness import Check, watch_readiness
from huiqun.runtime.settings import ServiceSettings, wrong_settings
from huiqun.runtime.startup import Startup
from huiqun.store import (
    PRESENCE_INDEXES,
    Client,
    Database,
    Index,
    Presence,
    check_access,
    close,
    connect,
    ensure_indexes,
)
from huiqun.stream import STREAM_INDEXES, BatchConsumer, ConsumerOptions, LagWatch, Publisher, Relay, Route, Transactor
from huiqun.stream.presence import topics_written_by
from huiqun.telemetry import configure_logs, log_strays, metrics, start_tracing, stop_tracing
from huiqun.timers import TIMER_INDEXES, TimerHandler
from huiqun.timers.runner import TimerRunner
from huiqun.web import (
    METRICS_CONNECTIONS,
    WEB_INDEXES,
    AppOptions,
    Exposition,
    OidcOptions,
    RateLimits,
    ServerOptions,
    create_app,
    serve,
)
from huiqun.web.health import NotReadyError

ROLES = ("streams", "timers", "api")
SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Connections:
    """What a composition root wires its slices with. Store and broker may be away until `startup` is done."""

    service: str
    settings: ServiceSettings
    client: Client
    database: Database
    publisher: Publisher
    transactor: Transactor
    clock: Clock
    startup: Startup


@asynccontextmanager
async def connections(
    service: str, settings: ServiceSettings, indexes: Mapping[str, Sequence[Index]]
) -> AsyncIterator[Connections]:
    """Prepare the connections to the store and the broker; `startup` waits for both and creates what is missing."""
    # Named after the database, so that installations that share a cluster keep out of each other's transactions.
    client = connect(settings.mongo, app_name=settings.database_of(service))
    database = client[settings.database_of(service)]
    presence = Presence(settings.mongo, database)
    publisher = Publisher(settings.kafka)
    clock = SystemClock()

    async def prepare() -> None:
        await check_access(database)
        shared = {**PRESENCE_INDEXES, **STREAM_INDEXES, **TIMER_INDEXES, **WEB_INDEXES, **AUDIT_INDEXES}
        await ensure_indexes(database, {**shared, **indexes})

    startup = Startup(prepare, presence.begin, publisher.ping)
    try:
        transactor = Transactor(client, database, publisher, clock)
        yield Connections(service, settings, client, database, publisher, transactor, clock, startup)
    finally:
        with ending():
            with contextlib.suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(2):
                    await publisher.stop()
            await presence.end()
            await close(client)


def loops(
    connected: Connections, roles: frozenset[str], routes: Sequence[Route], timers: Mapping[str, TimerHandler]
) -> list[Part]:
    """The loops that every service has: its consumer, its lag, the relay, and the timers where it has any."""
    running: list[Part] = []
    if "streams" in roles:
        settings = connected.settings
        options = ConsumerOptions(
            max_batch=settings.max_batch,
            max_characters=settings.max_batch_characters,
            max_failed_share=settings.breaker_share,
            trial_seconds=settings.breaker_trial_seconds,
        )
        consumer = BatchConsumer(connected.service, routes, connected.transactor, settings.kafka, options)
        running += [consumer, LagWatch(consumer, settings.kafka), Relay(connected.transactor)]
    if "timers" in roles and timers:
        running.append(TimerRunner(connected.transactor, timers))
    return running


@dataclass(frozen=True, kw_only=True, slots=True)
class Interface:
    """What a service offers over HTTP. Without routers it still answers for health, readiness and metrics.

    `state` is what the routes find in `app.state`, beside the database.
    """

    service: str
    description: str
    routers: Sequence[APIRouter] = ()
    state: Mapping[str, Any] = field(default_factory=dict)


class PartNotWellError(Exception):
    """A loop of this process is trying again after an error of the store or the broker."""


class Api:
    """Serves the interface, and answers for the other parts of the process: are they alive, are they getting on?"""

    name = "api"

    def __init__(
        self, interface: Interface, settings: ServiceSettings, connected: Connections, parts: Sequence[Part]
    ) -> None:
        """Build the app; UnsafeRoutesError if a route declares no role. `parts` are the others of the process."""
        self.heartbeat = Heartbeat()
        self._parts = tuple(parts)
        self._startup = connected.startup
        self._settings = settings
        self._checks: Mapping[str, Check] = {
            "startup": connected.startup.check,
            "store": partial(check_access, connected.database),
            "broker": connected.publisher.ping,
            "topics": partial(connected.publisher.require_topics, _topics(connected.service, parts)),
            **{part.name: partial(_ask, part) for part in self._parts},
        }
        own_version = version(f"huiqun-{interface.service}")
        metrics.export_build(interface.service, own_version, settings.revision)
        self.app = create_app(
            AppOptions(
                title=f"Huiqun {interface.service}",
                version=own_version,
                description=interface.description,
                db=connected.database,
                transact=connected.transactor.run,
                routers=interface.routers,
                alive=self._alive,
                started=lambda: connected.startup.is_done,
                checks=self._checks,
                oidc=_oidc(settings),
                limits=RateLimits(
                    caller=settings.rate_limit_caller,
                    address=settings.rate_limit_address,
                    page=settings.rate_limit_page,
                    link=settings.rate_limit_link,
                ),
                state=interface.state,
            )
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Serve the interface, and the metrics on a port of their own, until `stop` is set."""
        settings = self._settings
        options = ServerOptions(trusted_proxies=settings.trusted_proxies)
        scraped = ServerOptions(connections=METRICS_CONNECTIONS)
        working = [
            asyncio.create_task(serve(self.app, settings.api_host, settings.api_port, stop, options)),
            asyncio.create_task(serve(Exposition(), settings.metrics_host, settings.port_of_metrics, stop, scraped)),
            asyncio.create_task(watch_readiness(self._checks, stop)),
        ]
        try:
            await asyncio.gather(*working)
        finally:
            for each in working:
                each.cancel()
            await asyncio.gather(*working, return_exceptions=True)

    def _alive(self) -> bool:
        self.heartbeat.well()  # whoever can ask has been answered
        at_work = self._parts if self._startup.is_done else (self._startup,)
        return all(part.heartbeat.is_alive for part in at_work)


def _topics(service: str, parts: Sequence[Part]) -> list[str]:
    """Those that the service writes to, and those that its consumer reads."""
    read = [name for part in parts if isinstance(part, BatchConsumer) for name in part.reads]
    return [*read, *topics_written_by(service)]


async def _ask(part: Part) -> None:
    if part.heartbeat.advice is not None:
        raise MisconfigurationError(part.heartbeat.advice)
    if part.heartbeat.unready_reason is not None:
        raise NotReadyError(part.heartbeat.unready_reason)
    if part.heartbeat.failure is not None:
        raise PartNotWellError(part.heartbeat.failure)


def _oidc(settings: ServiceSettings) -> OidcOptions | None:
    """The identity provider, if there is one; ValueError if only a part of it is set."""
    issuer, audience, url = settings.oidc_issuer, settings.oidc_audience, settings.oidc_jwks_url
    if issuer and audience and url:
        return OidcOptions(issuer=issuer, audience=audience, jwks_url=url)
    if issuer or audience or url:
        raise ValueError("set all of HUIQUN_OIDC_ISSUER, HUIQUN_OIDC_AUDIENCE and HUIQUN_OIDC_JWKS_URL, or none")
    return None


def roles_from(arguments: Sequence[str], service: str) -> frozenset[str]:
    """The roles that the command line asks for; all of them by default."""
    parser = argparse.ArgumentParser(prog=f"python -m {service}", description=f"Run the {service} service.")
    parser.add_argument(
        "--roles",
        default=",".join(ROLES),
        help="which parts to run, separated by commas: streams (consume events), timers (due work), api (HTTP)",
    )
    asked = frozenset(part.strip() for part in parser.parse_args(arguments).roles.split(",") if part.strip())
    if unknown := asked - set(ROLES):
        parser.error(f"unknown roles: {', '.join(sorted(unknown))}; there are {', '.join(ROLES)}")
    return asked


def run_service(
    service: str, kind: type[SettingsT], main: Callable[[SettingsT, frozenset[str], asyncio.Event], Awaitable[None]]
) -> None:
    """The whole life of a service's process; exits with 2 when its settings are wrong, with 1 when a part fails."""
    roles = roles_from(sys.argv[1:], service)
    try:
        settings = kind()
    except ValidationError as error:
        sys.stderr.writelines(f"{line}\n" for line in wrong_settings(kind, error))
        sys.exit(2)
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        sys.stderr.write("PROMETHEUS_MULTIPROC_DIR: unset it; each process has a /metrics of its own to be scraped\n")
        sys.exit(2)
    configure_logs(service, settings.log_level)
    log_strays()
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

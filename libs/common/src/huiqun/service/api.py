"""The HTTP component of a service's process: its interface, and the answers about health, readiness and figures."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

from fastapi import APIRouter

from huiqun.kafka.presence import topics_written_by
from huiqun.runtime.health import Heartbeat
from huiqun.runtime.misconfiguration import MisconfigurationError
from huiqun.service.components import Component
from huiqun.service.connections import Connections
from huiqun.service.settings import ServiceSettings
from huiqun.store import check_access
from huiqun.stream import BatchConsumer
from huiqun.telemetry import metrics
from huiqun.web import (
    METRICS_CONNECTIONS,
    AppOptions,
    MetricsApp,
    OidcOptions,
    RateLimits,
    ServerOptions,
    create_app,
    serve,
)
from huiqun.web.health import NotReadyError
from huiqun.web.readiness import Check, watch_readiness


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpInterface:
    """What a service offers over HTTP. Without routers it still answers for health, readiness and metrics.

    `provided` is what the routes need, one of each class; see huiqun.web.provided.
    """

    service: str
    description: str
    routers: Sequence[APIRouter] = ()
    provided: Sequence[object] = ()


class ComponentUnhealthyError(Exception):
    """A loop of this process is trying again after an error of the store or the broker."""


class HttpComponent:
    """Serves the interface, and answers for the other components of the process: do they live, do they get on?"""

    name = "api"

    def __init__(
        self,
        interface: HttpInterface,
        settings: ServiceSettings,
        connected: Connections,
        components: Sequence[Component],
    ) -> None:
        """Build the app; UnsafeRoutesError if a route declares no role. `components` are the others of the process."""
        self.heartbeat = Heartbeat()
        self._components = tuple(components)
        self._startup = connected.startup
        self._settings = settings
        self._checks: Mapping[str, Check] = {
            "startup": connected.startup.check_done,
            "store": partial(check_access, connected.database),
            "broker": connected.publisher.ping,
            "topics": partial(connected.publisher.check_topics_exist, _topics(connected.service, components)),
            **{component.name: partial(_ask, component) for component in self._components},
        }
        own_version = version(f"huiqun-{interface.service}")
        metrics.export_build_info(interface.service, own_version, settings.revision)
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
                provided=interface.provided,
            )
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Serve the interface, and the metrics on a port of their own, until `stop` is set."""
        settings = self._settings
        options = ServerOptions(trusted_proxies=settings.trusted_proxies)
        scraped = ServerOptions(connections=METRICS_CONNECTIONS)
        working = [
            asyncio.create_task(serve(self.app, settings.api_host, settings.api_port, stop, options)),
            asyncio.create_task(serve(MetricsApp(), settings.metrics_host, settings.port_of_metrics, stop, scraped)),
            asyncio.create_task(watch_readiness(self._checks, stop)),
        ]
        try:
            await asyncio.gather(*working)
        finally:
            for each in working:
                each.cancel()
            await asyncio.gather(*working, return_exceptions=True)

    def _alive(self) -> bool:
        self.heartbeat.mark_healthy()  # whoever can ask has been answered
        at_work = self._components if self._startup.is_done else (self._startup,)
        return all(component.heartbeat.is_alive for component in at_work)


def _topics(service: str, components: Sequence[Component]) -> list[str]:
    """Those that the service writes to, and those that its consumer reads."""
    read = [name for component in components if isinstance(component, BatchConsumer) for name in component.reads]
    return [*read, *topics_written_by(service)]


async def _ask(component: Component) -> None:
    if component.heartbeat.advice is not None:
        raise MisconfigurationError(component.heartbeat.advice)
    if component.heartbeat.unready_reason is not None:
        raise NotReadyError(component.heartbeat.unready_reason)
    if component.heartbeat.failure is not None:
        raise ComponentUnhealthyError(component.heartbeat.failure)


def _oidc(settings: ServiceSettings) -> OidcOptions | None:
    """The identity provider, if there is one; ValueError if only a part of it is set."""
    issuer, audience, url = settings.oidc_issuer, settings.oidc_audience, settings.oidc_jwks_url
    if issuer and audience and url:
        return OidcOptions(issuer=issuer, audience=audience, jwks_url=url)
    if issuer or audience or url:
        raise ValueError("set all of HUIQUN_OIDC_ISSUER, HUIQUN_OIDC_AUDIENCE and HUIQUN_OIDC_JWKS_URL, or none")
    return None

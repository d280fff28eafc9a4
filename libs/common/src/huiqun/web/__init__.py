"""HTTP for all services: authentication, problem details, pages, idempotent writes, health and metrics."""

from huiqun.web.api_keys import create_api_key, revoke_api_key
from huiqun.web.app import WEB_INDEXES, AppOptions, UnsafeRoutesError, create_app
from huiqun.web.bodies import MIB
from huiqun.web.compute import Offloaded
from huiqun.web.idempotency import IdempotentWrite, Transact, TransactOnce, WriteOnce, WriteResult
from huiqun.web.limits import RateLimits
from huiqun.web.metrics_app import METRICS_CONNECTIONS, MetricsApp
from huiqun.web.oidc import OidcOptions
from huiqun.web.openapi import list_undocumented
from huiqun.web.pages import Page, PageRequest, Paging
from huiqun.web.preconditions import IfMatch, Precondition, set_etag
from huiqun.web.principals import Principal, Role
from huiqun.web.problems import FieldError, Problem, ProblemDetails
from huiqun.web.routing import Caller, ReadDatabase, Router, body_of, limit_body, read_only, require_role
from huiqun.web.server import ServerOptions, serve
from huiqun.web.single_flight import SingleFlight

__all__ = [
    "METRICS_CONNECTIONS",
    "MIB",
    "WEB_INDEXES",
    "AppOptions",
    "Caller",
    "FieldError",
    "IdempotentWrite",
    "IfMatch",
    "MetricsApp",
    "Offloaded",
    "OidcOptions",
    "Page",
    "PageRequest",
    "Paging",
    "Precondition",
    "Principal",
    "Problem",
    "ProblemDetails",
    "RateLimits",
    "ReadDatabase",
    "Role",
    "Router",
    "ServerOptions",
    "SingleFlight",
    "Transact",
    "TransactOnce",
    "UnsafeRoutesError",
    "WriteOnce",
    "WriteResult",
    "body_of",
    "create_api_key",
    "create_app",
    "limit_body",
    "list_undocumented",
    "read_only",
    "require_role",
    "revoke_api_key",
    "serve",
    "set_etag",
]

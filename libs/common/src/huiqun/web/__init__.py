"""HTTP for all services: authentication, problem details, pages, idempotent writes, health and metrics."""

from huiqun.web.api_keys import create_api_key, revoke_api_key
from huiqun.web.app import WEB_INDEXES, AppOptions, UnsafeRoutesError, create_app
from huiqun.web.bodies import MIB
from huiqun.web.compute import Offloaded
from huiqun.web.exposition import METRICS_CONNECTIONS, Exposition
from huiqun.web.flights import SingleFlight
from huiqun.web.idempotency import Answer, Audited, Transact, Write, WriteOnce
from huiqun.web.limits import RateLimits
from huiqun.web.oidc import OidcOptions
from huiqun.web.openapi import undocumented
from huiqun.web.pages import Page, PageRequest, Paging
from huiqun.web.preconditions import IfMatch, Precondition, set_etag
from huiqun.web.principals import Principal, Role
from huiqun.web.problems import FieldError, Problem, ProblemDetails
from huiqun.web.routing import Caller, Router, Store, body_limit, changes_nothing, received_body, requires
from huiqun.web.server import ServerOptions, serve

__all__ = [
    "METRICS_CONNECTIONS",
    "MIB",
    "WEB_INDEXES",
    "Answer",
    "AppOptions",
    "Audited",
    "Caller",
    "Exposition",
    "FieldError",
    "IfMatch",
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
    "Role",
    "Router",
    "ServerOptions",
    "SingleFlight",
    "Store",
    "Transact",
    "UnsafeRoutesError",
    "Write",
    "WriteOnce",
    "body_limit",
    "changes_nothing",
    "create_api_key",
    "create_app",
    "received_body",
    "requires",
    "revoke_api_key",
    "serve",
    "set_etag",
    "undocumented",
]

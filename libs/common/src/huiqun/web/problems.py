"""Errors as RFC 9457 problem details: what went wrong, in a form that programs can read."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Protocol, runtime_checkable

import orjson
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from huiqun.kafka.publisher import EventTooLargeError
from huiqun.runtime.errors import NotFoundError
from huiqun.store import StoreError, is_transient, is_write_conflict
from huiqun.telemetry import current_traceparent, describe_error, parse_traceparent

MEDIA_TYPE = "application/problem+json"
_RETRY_SOON = {"Retry-After": "5"}
#: For who meets others at work, as against an outage.
RETRY_AT_ONCE = {"Retry-After": "1"}
log = structlog.get_logger(__name__)


#: Which status and kind of problem answers an error that handlers raise.
Problems = Mapping[type[Exception], tuple[int, str]]


@runtime_checkable
class HasFieldFaults(Protocol):
    """An error of a handler that says what is wrong where: each path into the body, with the reason."""

    @property
    def field_faults(self) -> Sequence[tuple[Sequence[str | int], str]]: ...


class FieldError(BaseModel):
    """One thing that is wrong with a request."""

    detail: str = Field(description="Explanation of the fault.", examples=["Input should be a valid integer"])
    location: str = Field(description="Part of the request: body, query, path or header.", examples=["body"])
    pointer: str | None = Field(
        default=None, description="JSON pointer into the body.", examples=["#/words/0/severity"]
    )
    parameter: str | None = Field(
        default=None, description="Name of the parameter, outside the body.", examples=["limit"]
    )
    line: int | None = Field(default=None, description="Line of the body, where it is a file.", examples=[17])


class ProblemDetails(BaseModel):
    """The body of every answer that is an error."""

    type: str = Field(description="URN of the kind of problem.", examples=["urn:huiqun:problem:stale"])
    title: str = Field(description="The kind of problem in words.", examples=["Stale"])
    status: int = Field(description="The HTTP status.", examples=[412])
    detail: str = Field(
        description="Explanation of this occurrence of the problem.",
        examples=["The policy has been changed since you read it."],
    )
    instance: str = Field(description="Path of the request.", examples=["/api/v1/policies/default"])
    trace_id: str | None = Field(
        default=None,
        description="Id of the request in logs and traces.",
        examples=["4bf92f3577b34da6a3ce929d0e0e4736"],
    )
    errors: list[FieldError] | None = Field(default=None, description="Everything wrong with the request.")


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it that
    """The request cannot be fulfilled; raised anywhere, answered as problem details."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        """`kind` is the end of the problem's type, in lower case with hyphens: "stale", "key-reused"."""
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = list(errors)


def problem_response(request: Request, problem: Problem) -> Response:
    """Write the problem as a response."""
    context = parse_traceparent(current_traceparent())
    body = ProblemDetails(
        type=f"urn:huiqun:problem:{problem.kind}",
        title=problem.kind.replace("-", " ").capitalize(),
        status=problem.status,
        detail=problem.detail,
        instance=request.url.path,
        trace_id=context.trace_id if context else None,
        errors=problem.errors or None,
    )
    content = orjson.dumps(body.model_dump(exclude_none=True))
    return Response(content, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def unexpected_error_response(request: Request) -> Response:
    """Admit an error without showing where it happened; the trace id finds it in the log."""
    return problem_response(
        request, Problem(500, "internal-error", "Something went wrong on our side; it has been logged.")
    )


def handle_problems(app: FastAPI) -> None:
    """Answer every expected error of this app with problem details."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(StoreError, _on_store_error)
    app.add_exception_handler(OverflowError, _on_overflow)
    app.add_exception_handler(EventTooLargeError, _on_event_too_large)
    app.add_exception_handler(NotFoundError, _on_not_found)


def handle_domain_errors(app: FastAPI, problems: Problems) -> None:
    """Answer these errors of the handlers with problem details; an error's docstring is what the caller reads."""

    async def respond(request: Request, error: Exception) -> Response:
        status, kind = next(problems[each] for each in type(error).__mro__ if each in problems)
        detail = _explain(error)
        faults = error.field_faults if isinstance(error, HasFieldFaults) else ()
        errors = [locate_field_error(("body", *path), reason) for path, reason in faults]
        return problem_response(request, Problem(status, kind, detail, errors=errors))

    for error in problems:
        app.add_exception_handler(error, respond)


def _explain(error: Exception) -> str:
    """The first sentence of the error's docstring, and what it was raised about."""
    sentence = (type(error).__doc__ or type(error).__name__).split("\n", 1)[0].strip()
    about = str(error)
    return f"{sentence.rstrip('.')}: {about}" if about else sentence


async def _on_not_found(request: Request, error: Exception) -> Response:
    """Answer for whatever is not there, in every slice: one kind of problem, and the detail says what is missing."""
    return problem_response(request, Problem(404, "not-found", _explain(error)))


async def _on_problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    return problem_response(request, error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Answer what the framework raises: unknown routes, methods, unreadable bodies."""
    if not isinstance(error, HTTPException):
        raise error
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    problem = Problem(error.status_code, kind, str(error.detail), headers=error.headers)
    return problem_response(request, problem)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    # The rejected values are left out: they may be personal data, or not even be valid text.
    errors = [locate_field_error(item["loc"], item["msg"]) for item in error.errors()]
    return problem_response(request, Problem(422, "invalid-request", "The request is not valid.", errors=errors))


async def _on_store_error(request: Request, error: Exception) -> Response:
    if not is_transient(error):
        raise error
    if is_write_conflict(error):
        log.warning("store busy", error=type(error).__name__)
        detail = "Too many changes are made to the same thing at once; try again."
        return problem_response(request, Problem(503, "busy", detail, headers=RETRY_AT_ONCE))
    log.warning("store out of reach", error=type(error).__name__)
    return problem_response(
        request, Problem(503, "store-unavailable", "The store does not answer; try again.", headers=_RETRY_SOON)
    )


async def _on_overflow(request: Request, error: Exception) -> Response:
    """Reject an integer from a path or a query that MongoDB cannot hold; bodies are checked before."""
    if "8-byte ints" not in str(error):
        raise error
    return problem_response(request, Problem(422, "invalid-request", "An integer of the request is beyond 64 bits."))


async def _on_event_too_large(request: Request, error: Exception) -> Response:
    """Refuse what could be stored but never published; nothing of it is stored."""
    log.warning("event too large", error=describe_error(error))
    return problem_response(
        request, Problem(413, "event-too-large", "What this would publish is larger than the broker takes.")
    )


def locate_field_error(loc: Sequence[int | str], detail: str) -> FieldError:
    """Say where in the request something is wrong: a JSON pointer into the body, or a parameter's name."""
    location, *path = loc or ("body",)
    if location == "body":
        steps = [str(step).replace("~", "~0").replace("/", "~1") for step in path]
        return FieldError(detail=detail, location="body", pointer="#" + "".join(f"/{step}" for step in steps))
    return FieldError(detail=detail, location=str(location), parameter=".".join(map(str, path)))

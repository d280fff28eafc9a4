"""The OpenAPI document: complete with roles and errors, and a check that nothing in it lacks words."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from huiqun.web.idempotency import write_once
from huiqun.web.limits import HEALTH_PATHS
from huiqun.web.preconditions import if_match
from huiqun.web.problems import MEDIA_TYPE, ProblemDetails
from huiqun.web.routing import (
    GuardedRoute,
    RequiredRole,
    dependencies_of,
    depends_on,
    find_marks,
    may_write,
    methods_of,
)

_ALWAYS_REQUIRED: Final = frozenset({"Idempotency-Key", "If-Match"})
_SCHEMES: Final = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "hq_<id>_<secret>"},
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key or a token of the identity provider."},
}
_ERRORS: Final = {
    400: "The request cannot be read",
    401: "No valid credential",
    403: "The caller lacks the role",
    408: "The body did not arrive in time",
    404: "There is no such thing",
    409: "It contradicts the present state",
    412: "It has been changed since it was read",
    413: "The body is too large",
    422: "The request is not valid",
    428: "If-Match is needed",
    429: "Too many requests",
    503: "The store or the broker does not answer",
}


def serve_complete_openapi(app: FastAPI) -> dict[str, Any]:
    """Build the document once and keep it."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(problem.pop("$defs", {}))
        schemas["ProblemDetails"] = problem
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        document["components"]["securitySchemes"] = _SCHEMES
        for route in app.routes:
            if isinstance(route, APIRoute) and route.include_in_schema:
                for method in methods_of(route):
                    _complete(document["paths"][route.path_format][method.lower()], route)
        app.openapi_schema = document
    return app.openapi_schema


def _complete(operation: dict[str, Any], route: APIRoute) -> None:
    """Add what FastAPI cannot know: the role, the errors, and which headers are required after all."""
    operation["responses"].pop("422", None)
    for status in sorted(_errors_of(route)):
        operation["responses"].setdefault(str(status), _problem(_ERRORS.get(status) or HTTPStatus(status).phrase))
    roles = sorted(mark.access for mark in find_marks(route, RequiredRole) if mark.access != "anyone")
    if roles:
        operation["security"] = [{scheme: []} for scheme in _SCHEMES]
        operation["x-roles"] = roles
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in _ALWAYS_REQUIRED:
            parameter["required"] = True
            parameter["schema"] = {"type": "string", "minLength": 1, "examples": parameter["schema"]["examples"]}


def _errors_of(route: APIRoute) -> set[int]:
    found = {400, 503}
    if route.path not in HEALTH_PATHS:
        found.add(429)
    if isinstance(route, GuardedRoute):
        found |= route.statuses
    if any(mark.access != "anyone" for mark in find_marks(route, RequiredRole)):
        found |= {401, 403}
    if may_write(route):
        found |= {408, 413, 422}
    if any(part.path_params for part in dependencies_of(route)):
        found |= {404, 422}
    if any(part.query_params for part in dependencies_of(route)):
        found.add(422)
    if depends_on(route, write_once):
        found |= {409, 422}
    if depends_on(route, if_match):
        found |= {412, 428}
    return found


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


def list_undocumented(app: FastAPI) -> list[str]:
    """Name everything in the app's OpenAPI document that has no summary, description or example."""
    document = serve_complete_openapi(app)
    found = [
        f"{'/'.join(methods_of(route))} {route.path}: no summary"
        for route in app.routes
        if isinstance(route, APIRoute) and route.include_in_schema and not route.summary
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            found.extend(_undocumented_operation(f"{method.upper()} {path}", operation))
    for name, schema in document["components"]["schemas"].items():
        for field, definition in schema.get("properties", {}).items():
            found.extend(_missing(f"{name}.{field}", definition, definition))
    return found


def _undocumented_operation(where: str, operation: dict[str, Any]) -> Iterator[str]:
    for parameter in operation.get("parameters", ()):
        yield from _missing(f"{where}: {parameter['name']}", parameter, parameter["schema"])
    for status, response in operation["responses"].items():
        for media_type, content in response.get("content", {}).items():
            if not content.get("schema") and media_type == "application/json":
                yield f"{where}: no model for the answer {status}"


def _missing(where: str, described: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    if not described.get("description"):
        yield f"{where}: no description"
    examples = {"example", "examples", "const"}
    if not (examples & described.keys() or examples & schema.keys() or _refers(schema)):
        yield f"{where}: no example"


def _refers(schema: dict[str, Any]) -> bool:
    """Say whether the examples stand elsewhere, in the model that this refers to."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    if choices:
        return all(map(_refers, choices))
    inner = schema.get("items") or schema.get("additionalProperties")
    return "$ref" in schema or "allOf" in schema or (isinstance(inner, dict) and _refers(inner))

"""Writes that happen once however often they are sent: the answer is stored with the effect, in its transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any, Final, Protocol, TypeVar
from urllib.parse import quote

import orjson
from fastapi import Depends, Header
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from huiqun.store import DuplicateKey, Index, StoreError
from huiqun.web.preconditions import etag_of
from huiqun.web.problems import Problem
from huiqun.web.provided import provisions_of
from huiqun.web.routing import body_of, caller_of
from huiqun.work import Work

IDEMPOTENT_WRITES: Final = "idempotency_keys"
IDEMPOTENCY_INDEXES: Final = {IDEMPOTENT_WRITES: [Index((("at", 1),), expires_after=timedelta(hours=24))]}
_WRITE_CONFLICT: Final = 112
_MAX_KEY: Final = 255
T = TypeVar("T")


class Transact(Protocol):
    """Runs a use case in one transaction, again on a write conflict, and publishes what it emitted."""

    async def __call__(self, use_case: Callable[[Work], Awaitable[T]]) -> T:
        """Return what the use case returned, once it is committed."""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a write answers: a body or none, the version the resource now has, its path as plain text, other headers."""

    body: BaseModel | None = None
    version: int | str | None = None
    location: str | None = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def response(self, default_status: int) -> Response:
        """Write it as a response; without a body the status is 204."""
        headers = dict(self.headers)
        if self.version is not None:
            headers["ETag"] = etag_of(self.version)
        if self.location is not None:
            headers["Location"] = quote(self.location, safe="/:")  # a header holds ASCII, an id may not
        if self.body is None:
            return Response(status_code=self.status or 204, headers=headers)
        content = orjson.dumps(self.body.model_dump(mode="json", by_alias=True))
        return Response(content, self.status or default_status, headers, media_type="application/json")


@dataclass(frozen=True, slots=True)
class UseCaseRunner:
    """What runs the use cases of an app's requests."""

    transact: Transact


class _KeyInUseError(Exception):
    """The idempotency key is taken by another request, finished or still running."""


@dataclass(frozen=True, slots=True)
class IdempotentWrite:
    """One writing request. An endpoint asks for `write: WriteOnce` and returns `await write(use_case)`."""

    transact: Transact
    key: str
    fingerprint: str
    status: int

    async def __call__(self, use_case: Callable[[Work], Awaitable[WriteResult | BaseModel | None]]) -> Response:
        """Run the use case once for this key; a repeated request gets the first one's answer.

        Problem 422 if the key was used for another request, 409 while the first one is still running. Only successes
        are kept: after an error nothing has happened, and the same key may be tried again.
        """

        async def once(work: Work) -> Response:
            await self._claim(work)
            result = await use_case(work)
            answer = result if isinstance(result, WriteResult) else WriteResult(result)
            response = answer.response(self.status)
            await self._keep(work, response)
            return response

        try:
            return await self.transact(once)
        except _KeyInUseError:
            return await self._repeat()

    async def _claim(self, work: Work) -> None:
        """Take the key before anything happens; whoever holds it makes this insert fail."""
        document = {"_id": self.key, "at": work.now, "fingerprint": self.fingerprint}
        try:
            await work.collection(IDEMPOTENT_WRITES).insert_one(document)
        except DuplicateKey:
            raise _KeyInUseError from None
        except StoreError as error:
            if getattr(error, "code", None) == _WRITE_CONFLICT:
                raise _KeyInUseError from None
            raise

    async def _keep(self, work: Work, response: Response) -> None:
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        answer = {"status": response.status_code, "headers": headers, "body": bytes(response.body)}
        change = {"$set": {"answer": answer}}
        await work.collection(IDEMPOTENT_WRITES).update_one({"_id": self.key}, change)

    async def _repeat(self) -> Response:
        async def find(work: Work) -> dict[str, Any] | None:
            return await work.collection(IDEMPOTENT_WRITES).find_one({"_id": self.key})

        stored = await self.transact(find)
        if stored is None:
            raise Problem(
                409, "request-in-progress", "The first request with this key is running.", headers={"Retry-After": "1"}
            )
        if stored["fingerprint"] != self.fingerprint:
            raise Problem(422, "idempotency-key-reused", "This Idempotency-Key was used for another request.")
        answer = stored["answer"]
        headers = {**answer["headers"], "Idempotency-Replayed": "true"}
        return Response(answer["body"], answer["status"], headers)


def write_once(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="Any text of up to 255 visible characters, new for each intended effect. Required.",
            examples=["7f3c9a52-5a0e-4f4e-9c7b-0c1f1d6d2b11"],
        ),
    ] = None,
) -> IdempotentWrite:
    """Read the Idempotency-Key; Problem 400 without a usable one."""
    if not idempotency_key:
        raise Problem(400, "idempotency-key-missing", "Every write needs an Idempotency-Key header.")
    if len(idempotency_key) > _MAX_KEY or not all("!" <= letter <= "~" for letter in idempotency_key):
        raise Problem(
            400, "idempotency-key-invalid", f"An Idempotency-Key has at most {_MAX_KEY} visible ASCII characters."
        )
    route = request.scope["route"]
    scope = f"{caller_of(request).id}\n{request.method} {route.path}\n{idempotency_key}"
    return IdempotentWrite(
        transact=transact_of(request),
        key=sha256(scope.encode()).hexdigest(),
        fingerprint=body_of(request).fingerprint,
        status=route.status_code or 200,
    )


WriteOnce = Annotated[IdempotentWrite, Depends(write_once)]


def transact_of(request: Request) -> Transact:
    """What runs a use case that is safe to repeat: an entry in the audit log, what a members' page does."""
    return provisions_of(request).get(UseCaseRunner).transact


TransactOnce = Annotated[Transact, Depends(transact_of)]

"""Whose data is meant, and how a request of theirs stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from huiqun.contracts.fields import Account
from huiqun.contracts.privacy import ErasureResult
from huiqun.runtime.errors import NotFoundError


class RequestKind(StrEnum):
    """What people ask of their data."""

    ERASURE = "erasure"
    ACCESS = "access"


class RequestState(StrEnum):
    """How far a service has come with a request."""

    RUNNING = "running"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Subject:
    """A person: their accounts, and as which customer they are known. `at` is when the request was received.

    `others` are the groups, by member id, in which that id is somebody else's, of another channel.
    """

    accounts: tuple[Account, ...]
    at: datetime
    customer_id: str | None = None
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def member_ids(self) -> list[str]:
        """The ids of their accounts, each within its channel."""
        return sorted({account.member_id for account in self.accounts})

    def query(self, member: str = "member_id", group: str = "group_id") -> dict[str, Any]:
        """Find the documents whose field `member` names them, in a group of their own channel."""
        alternatives: list[dict[str, Any]] = [
            {member: member_id, group: {"$nin": list(groups)}}
            for member_id, groups in sorted(self.others.items())
            if member_id in self.member_ids
        ]
        plain = [member_id for member_id in self.member_ids if member_id not in self.others]
        if not alternatives:
            return {member: {"$in": plain}}
        return {"$or": [{member: {"$in": plain}}, *alternatives]}


@dataclass(frozen=True, slots=True)
class AccessFile:
    """The file of an access request; `reference` names it once."""

    reference: str
    expires_at: datetime
    bytes: int
    lines: int
    sha256: str
    fetched_at: datetime | None = None
    fetched_by: str | None = None


@dataclass(frozen=True, slots=True)
class StoredPersonRequest:
    """A request as a service deals with it. `accounts` and `customer_id` are forgotten when it is completed."""

    kind: RequestKind
    request_id: str
    person_id: str
    requested_by: str
    ground: str
    received_at: datetime
    accounts: tuple[Account, ...] = ()
    customer_id: str | None = None
    state: RequestState = RequestState.RUNNING
    results: tuple[ErasureResult, ...] = ()
    file: AccessFile | None = None
    completed_at: datetime | None = None

    @property
    def key(self) -> str:
        """The document's id."""
        return f"{self.kind.value}/{self.request_id}"


class PersonRequestNotFoundError(NotFoundError):
    """Nobody has asked this, or it was completed more than three years ago."""


class AccessFileNotFoundError(NotFoundError):
    """There is no such file, or it has expired: the person has to ask again."""


class AccessFileFetchedError(ValueError):
    """The file has been fetched, which can be done once: the person has to ask again."""


class AccessFileTooLargeError(RuntimeError):
    """What is held of the person does not fit into one file."""

"""What a version is, what its approval is bound to, and in what two of them differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

import orjson

Content = Mapping[str, Any]
Path = tuple[str, ...]
#: What a section says by being there at all.
PRESENT: Final = "present"


class VersionNotFoundError(LookupError):
    """There is no such document, or it has no such version."""


class VersionStateError(ValueError):
    """The version cannot go from its state to the one that is asked for; the message names both."""


class FourEyesError(PermissionError):
    """Somebody else than those who wrote the version has to approve it."""


class ReasonRequiredError(ValueError):
    """To go back to an older version, or to reject one, says why."""


class VersionState(StrEnum):
    """How far a version has come. Which one is in force is said by its document."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a document: what it says, who wrote it, who approved it.

    `editors` are all who wrote in it; none of them may approve it. An approval holds for the content whose hash it
    names: an edit makes another hash, and so a draft again.
    """

    document_id: str
    number: int
    content: Content
    note: str
    state: VersionState
    editors: tuple[str, ...]
    created_at: datetime
    edited_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    approved_hash: str | None = None
    was_in_force: bool = False

    @property
    def label(self) -> str:
        """Its name among all: default@3."""
        return f"{self.document_id}@{self.number}"

    @property
    def created_by(self) -> str:
        """Who wrote it first."""
        return self.editors[0]

    @property
    def content_hash(self) -> str:
        """SHA-256 of the content, as 64 hex digits."""
        return content_hash_of(self.content)

    @property
    def is_approved(self) -> bool:
        """Whether somebody has approved what it says now."""
        return self.state is VersionState.APPROVED and self.approved_hash == self.content_hash


@dataclass(frozen=True, slots=True)
class VersionHead:
    """A document: its latest version, the one in force, if any; `revision` rises with every change."""

    document_id: str
    latest: int
    in_force: int | None
    revision: int
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class ActivationCommand:
    """The wish to have a version in force; with `four_eyes`, somebody else than its editors must have approved it."""

    number: int
    actor: str
    reason: str = ""
    four_eyes: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """A value in which two contents differ; None where one of them says nothing."""

    path: Path
    old: Any
    new: Any


def content_hash_of(content: Content) -> str:
    """SHA-256 of a content, the same in whatever order its keys stand."""
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)).hexdigest()


def diff_contents(old: Content, new: Content) -> list[Difference]:
    """The values in which two contents differ, in the order of their paths; a list is one value."""
    before, after = dict(_values(old, ())), dict(_values(new, ()))
    return [
        Difference(path, before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]


def _values(content: Content, above: Path) -> Iterator[tuple[Path, Any]]:
    for name, value in content.items():
        path = (*above, str(name))
        if isinstance(value, Mapping):
            yield path, PRESENT
            yield from _values(value, path)
        else:
            yield path, value

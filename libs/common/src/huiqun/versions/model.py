"""What a version is, what its approval is bound to, and in what two contents differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Self

import orjson

from huiqun.runtime.errors import NotFoundError

Content = Mapping[str, Any]
Path = tuple[str, ...]


class VersionNotFoundError(NotFoundError):
    """There is no such document, or it has no such version."""


class VersionStateError(ValueError):
    """The version cannot go from its state to the one that is asked for; the message names both."""


class FourEyesError(PermissionError):
    """Somebody else than those who wrote the version has to approve it."""


class ReasonRequiredError(ValueError):
    """To go back to an older version, or to reject one, says why."""


class ApprovalMismatchError(ValueError):
    """The approval is of another content than the version has."""


class VersionState(StrEnum):
    """How far a version has come. Which one is in force is said by its document."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class ApproveVersionCommand:
    """The wish to approve the content of this hash; with `four_eyes`, whoever wrote in it may not."""

    actor: str
    content_hash: str
    four_eyes: bool = True


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """Who wrote a content, how far it has come, and which content somebody approved.

    `label` names it in errors; `editors` are all who wrote in it, the first one first. A step returns the record after
    it.
    """

    label: str
    editors: tuple[str, ...]
    state: VersionState = VersionState.DRAFT
    approved_by: str | None = None
    approved_at: datetime | None = None
    approved_hash: str | None = None

    def edit(self, editor: str) -> Self:
        """Note that somebody wrote in it: it is a draft again, and its approval is void."""
        editors = self.editors if editor in self.editors else (*self.editors, editor)
        return replace(
            self, editors=editors, state=VersionState.DRAFT, approved_by=None, approved_at=None, approved_hash=None
        )

    def submit(self) -> Self:
        """Ask for the approval of a draft. Raises VersionStateError."""
        self._require(VersionState.DRAFT)
        return replace(self, state=VersionState.SUBMITTED)

    def reject(self) -> Self:
        """Give what was submitted back to its editors. Raises VersionStateError."""
        self._require(VersionState.SUBMITTED)
        return replace(self, state=VersionState.DRAFT)

    def approve(self, command: ApproveVersionCommand, content_hash: str, moment: datetime) -> Self:
        """Approve what was submitted, as it is now: `content_hash`.

        Raises VersionStateError, FourEyesError, ApprovalMismatchError.
        """
        self._require(VersionState.SUBMITTED)
        if command.four_eyes and command.actor in self.editors:
            raise FourEyesError(f"{self.label} has to be approved by somebody else than {', '.join(self.editors)}")
        if command.content_hash != content_hash:
            raise ApprovalMismatchError(f"{self.label} has the hash {content_hash}, not {command.content_hash}")
        return replace(
            self,
            state=VersionState.APPROVED,
            approved_by=command.actor,
            approved_at=moment,
            approved_hash=content_hash,
        )

    def covers(self, content_hash: str) -> bool:
        """Whether somebody has approved the content of this hash. Raises ApprovalMismatchError for another one."""
        if self.state is not VersionState.APPROVED:
            return False
        if self.approved_hash != content_hash:
            raise ApprovalMismatchError(
                f"{self.label} was approved with the hash {self.approved_hash}, and has {content_hash} now"
            )
        return True

    def _require(self, state: VersionState) -> None:
        if self.state is not state:
            raise VersionStateError(f"{self.label} is {self.state}, not {state}")


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a document: what it says, why it was written, and who approved it.

    `details` are what the service keeps with it, by name; nobody approves them.
    """

    document_id: str
    number: int
    content: Content
    note: str
    approval: ApprovalRecord
    created_at: datetime | None
    was_in_force: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Its name among all: default@3."""
        return version_label_of(self.document_id, self.number)

    @property
    def created_by(self) -> str:
        """Who wrote it first."""
        return self.approval.editors[0]

    @property
    def content_hash(self) -> str:
        """SHA-256 of the content, as 64 hex digits."""
        return content_hash_of(self.content)


@dataclass(frozen=True, slots=True)
class VersionHead:
    """A document: its latest version, the one in force, if any; `revision` rises with every change."""

    document_id: str
    latest: int = 0
    active: int | None = None
    revision: int = 0
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WriteVersionCommand:
    """What a version is to say, why it is written, and by whom; `details` as in `Version`."""

    content: Content
    note: str
    author: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActivateVersionCommand:
    """The wish to have a version in force; with `four_eyes`, somebody else than its editors must approve it."""

    number: int
    actor: str
    reason: str = ""
    four_eyes: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """A value in which two contents differ; None where one of them has it not."""

    path: Path
    old: Any
    new: Any


def version_label_of(document_id: str, number: int) -> str:
    """The name of a version among all: default@3."""
    return f"{document_id}@{number}"


def content_hash_of(content: Content) -> str:
    """SHA-256 of a content, the same in whatever order its keys stand."""
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


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
        path = (*above, name)
        if isinstance(value, Mapping):
            yield from _values(value, path)
        else:
            yield path, value

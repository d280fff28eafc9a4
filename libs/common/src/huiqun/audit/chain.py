"""The hash chain: each entry is sealed with the hash of the one before it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import orjson

from huiqun.privacy.text import mask_values

GENESIS: Final = "0" * 64
_FIELDS: Final = frozenset({"_id", "at", "actor", "action", "subject", "detail", "prev_hash", "hash"})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to whom; `detail` is anything JSON can hold, texts in it are masked: nothing is ever erased here."""

    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The end of the chain: the last entry's number, 0 for none, and its hash."""

    seq: int = 0
    hash: str = GENESIS


def seal_entries(head: ChainHead, entries: Sequence[AuditEntry], at: datetime) -> Iterator[dict[str, Any]]:
    """Continue the chain behind `head`; yields the documents, ready to be stored."""
    # MongoDB keeps milliseconds, and JSON keeps less than Python: what is hashed is what will be read back.
    at = _EPOCH + (at.astimezone(UTC) - _EPOCH) // _MILLISECOND * _MILLISECOND
    previous = head.hash
    for seq, entry in enumerate(entries, head.seq + 1):
        document = {
            "_id": seq,
            "at": at,
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            # The last door before what nothing can erase; who acted and on what are ids, by which entries are found.
            "detail": mask_values(orjson.loads(orjson.dumps(entry.detail))),
            "prev_hash": previous,
        }
        previous = hash_entry(document)
        document["hash"] = previous
        yield document


def hash_entry(document: Mapping[str, Any]) -> str:
    """Hash everything in the document but its hash."""
    return sha256(_canonical(_content(document))).hexdigest()


def is_sealed_entry(document: Mapping[str, Any]) -> bool:
    """Say whether `seal` can have made the document: its hash, its fields, and the types of its values."""
    try:
        content = _content(document)
        canonical = _canonical(content)
    except (KeyError, TypeError, ValueError):
        return False
    if document.keys() != _FIELDS or sha256(canonical).hexdigest() != document["hash"]:
        return False
    # NaN would be hashed like null, and a UUID like its text: what was stored was JSON.
    return bool(orjson.loads(canonical) == content)


def _content(document: Mapping[str, Any]) -> list[Any]:
    at = document["at"]
    if not isinstance(at, datetime):
        raise TypeError("at")
    return [
        document["_id"],
        (at - _EPOCH) // _MILLISECOND,
        document["actor"],
        document["action"],
        document["subject"],
        document["detail"],
        document["prev_hash"],
    ]


def _canonical(content: list[Any]) -> bytes:
    # Dates inside are refused: `seal` stores none.
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME)

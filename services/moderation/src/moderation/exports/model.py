"""What a file of archived messages says of each: its columns, and what stands in them."""

from datetime import datetime
from typing import Any, Final

from huiqun.files.writing import Fields
from moderation.archive.model import ArchivedMessage

MESSAGE_COLUMNS: Final = (
    "group_id",
    "message_id",
    "revision",
    "sent_at",
    "archived_at",
    "member_id",
    "role",
    "kind",
    "verdict",
    "reasons",
    "policy",
    "lexicon",
    "recalled_by",
    "recalled_at",
    "text",
)


def message_fields(archived: ArchivedMessage) -> dict[str, Any]:
    """What an export says of a message: all that the archive has, without what is only there for matching."""
    document = archived.document
    return {
        "group_id": document["group_id"],
        "message_id": archived.message_id,
        "revision": archived.revision,
        "sent_at": _utc(document["sent_at"]),
        "archived_at": _utc(document.get("archived_at")),
        "member_id": document["member_id"],
        "role": document["role"],
        "kind": document["kind"],
        "verdict": document["verdict"],
        "reasons": document.get("reasons", []),
        "policy": document["policy"],
        "lexicon": document["lexicon"],
        "recalled_by": document.get("recalled_by"),
        "recalled_at": _utc(document.get("recalled_at")),
        "text": document["text"],
    }


def message_cells(fields: Fields) -> Fields:
    """A message as a spreadsheet shows it: its reasons in one cell."""
    reasons = "; ".join(f"{reason['rule']}/{reason['category']}" for reason in fields["reasons"])
    return {**fields, "reasons": reasons}


def _utc(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None

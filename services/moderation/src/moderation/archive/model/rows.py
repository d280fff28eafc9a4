"""What a file of archived messages has in its columns."""

from typing import Final

from huiqun.files.writing import Fields

COLUMNS: Final = (
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


def cells_of(row: Fields) -> Fields:
    """A message as a spreadsheet shows it: its reasons in one cell."""
    reasons = "; ".join(f"{reason['rule']}/{reason['category']}" for reason in row["reasons"])
    return {**row, "reasons": reasons}

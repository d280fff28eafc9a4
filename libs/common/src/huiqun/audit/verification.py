"""Verify the audit log: find what was changed, removed, added or put elsewhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from huiqun.audit.chain import ChainHead, is_sealed_entry
from huiqun.audit.log import AUDIT_LOG, find_chain_head
from huiqun.store import Reader

AuditFindingKind = Literal[
    "changed", "broken link", "missing", "truncated", "beyond head", "head differs", "anchor differs"
]
#: Called with the entries verified so far and the total.
Progress = Callable[[int, int], None]
# So many are hashed in some milliseconds, in which nothing else of the process goes on.
_BATCH: Final = 500
_MAX_FINDINGS: Final = 100


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One thing wrong with the log, at the entry of this number."""

    seq: int
    kind: AuditFindingKind
    explanation: str


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """What was verified. Keep `head` somewhere else: given back as the anchor, it proves that the past is the same."""

    entries: int
    head: ChainHead
    findings: tuple[AuditFinding, ...]

    @property
    def intact(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.findings


@dataclass(slots=True)
class ChainInspection:
    """Looks at the entries one after the other, in the order of their numbers."""

    anchor: ChainHead | None = None
    last: ChainHead = field(default_factory=ChainHead)
    entries: int = 0
    findings: list[AuditFinding] = field(default_factory=list)

    def inspect_entry(self, document: Mapping[str, Any]) -> None:
        """Compare an entry with its own hash, with the one before, and with the anchor."""
        seq, expected = document["_id"], self.last.seq + 1
        if type(seq) is bool or not isinstance(seq, int) or seq < expected:
            self._note(expected, "changed", f"There is an entry that has no number of its own: {str(seq)[:80]}.")
            return
        if seq > expected:
            gone = f"Entry {expected} is" if seq == expected + 1 else f"Entries {expected} to {seq - 1} are"
            self._note(expected, "missing", f"{gone} missing.")
        elif document.get("prev_hash") != self.last.hash:
            self._note(seq, "broken link", f"Entry {seq} does not follow entry {seq - 1}: one of them was replaced.")
        if not is_sealed_entry(document):
            self._note(seq, "changed", f"Entry {seq} does not match its hash: it was changed or moved.")
        self.entries += 1
        self.last = ChainHead(int(seq), str(document.get("hash")))
        if self.anchor is not None and self.anchor.seq == seq and self.anchor.hash != self.last.hash:
            self._note(seq, "anchor differs", f"Entry {seq} is not the one that was anchored: the past was rewritten.")

    def conclude(self, head: ChainHead, highest: int) -> VerificationReport:
        """Compare the end with the head; `highest` is the highest number in the log."""
        if self.last.seq < head.seq:
            self._note(self.last.seq + 1, "truncated", f"The log ends at {self.last.seq}, its head says {head.seq}.")
        elif self.last.hash != head.hash:
            self._note(head.seq, "head differs", "The last entry is not the one that the head names.")
        if highest > head.seq:
            self._note(head.seq + 1, "beyond head", f"The head says {head.seq}, and there are entries up to {highest}.")
        if self.anchor is not None and self.anchor.seq > head.seq:
            self._note(head.seq + 1, "truncated", f"The log was anchored at {self.anchor.seq}, and ends at {head.seq}.")
        return VerificationReport(self.entries, head, tuple(self.findings))

    def _note(self, seq: int, kind: AuditFindingKind, explanation: str) -> None:
        if len(self.findings) < _MAX_FINDINGS:
            self.findings.append(AuditFinding(seq, kind, explanation))


async def verify_audit_log(
    reader: Reader, progress: Progress | None = None, anchor: ChainHead | None = None
) -> VerificationReport:
    """Read the whole log in order; appending may go on meanwhile."""
    # The highest entry is read before the head: every entry is committed together with its head, so an honest log has
    # a head that is at least as high. What is appended after that is left to the next verification.
    newest = await reader.collection(AUDIT_LOG).find_one(
        {"_id": {"$type": "number"}}, projection={"_id": 1}, sort=[("_id", -1)]
    )
    try:
        head = await find_chain_head(reader)
    except (KeyError, TypeError, ValueError):  # somebody has been at the head: every entry is beyond it
        head = ChainHead()
    inspection = ChainInspection(anchor)
    cursor = reader.collection(AUDIT_LOG).find({"_id": {"$not": {"$gt": head.seq}}}, batch_size=_BATCH).sort("_id", 1)
    while documents := await cursor.to_list(_BATCH):
        for document in documents:
            inspection.inspect_entry(document)
        if progress is not None:
            progress(inspection.entries, head.seq)
    return inspection.conclude(head, newest["_id"] if newest else 0)

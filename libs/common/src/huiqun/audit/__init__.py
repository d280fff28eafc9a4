"""The audit log: append-only, hash-chained, one per service."""

from huiqun.audit.chain import AuditEntry, Head
from huiqun.audit.log import AUDIT_INDEXES, append, append_all, read_head
from huiqun.audit.verification import Finding, VerifyReport, verify

__all__ = [
    "AUDIT_INDEXES",
    "AuditEntry",
    "Finding",
    "Head",
    "VerifyReport",
    "append",
    "append_all",
    "read_head",
    "verify",
]

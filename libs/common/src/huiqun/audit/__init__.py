"""The audit log: append-only, hash-chained, one per service."""

from huiqun.audit.chain import AuditEntry, ChainHead
from huiqun.audit.log import AUDIT_INDEXES, append_audit_entries, append_audit_entry, find_chain_head
from huiqun.audit.verification import AuditFinding, VerificationReport, verify_audit_log

__all__ = [
    "AUDIT_INDEXES",
    "AuditEntry",
    "AuditFinding",
    "ChainHead",
    "VerificationReport",
    "append_audit_entries",
    "append_audit_entry",
    "find_chain_head",
    "verify_audit_log",
]

"""Readings that are audited: whoever is shown names of people leaves an entry that says so."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends
from starlette.requests import Request

from huiqun.audit.chain import AuditEntry
from huiqun.audit.log import append_audit_entry
from huiqun.web import Caller, Principal, Transact
from huiqun.web.idempotency import transact_of
from huiqun.work import Work

NAMES_READ: Final = "names.read"


@dataclass(frozen=True, slots=True)
class NamesReading:
    """A request whose answer may show names."""

    transact: Transact
    who: Principal

    async def record(self, subject: str, **detail: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Write to the audit log what is about to be shown; without the entry nothing is."""

        async def use_case(work: Work) -> None:
            await append_audit_entry(work, AuditEntry(self.who.id, NAMES_READ, subject, detail))

        await self.transact(use_case)


def names_reading(request: Request, who: Caller) -> NamesReading:
    """Return the reading that the caller is about to do."""
    return NamesReading(transact_of(request), who)


ReadsNames = Annotated[NamesReading, Depends(names_reading)]

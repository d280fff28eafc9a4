"""Hear what people ask of their data, and erase: a holding after the other, a portion in each transaction."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.store import list_namesake_groups
from huiqun.contracts.fields import DEFAULT_CHANNEL, Account
from huiqun.contracts.parties import PERSON_REQUESTS
from huiqun.contracts.privacy import (
    Access,
    AccessCompleted,
    AccessRequested,
    Erasure,
    ErasureCompleted,
    ErasureRequested,
)
from huiqun.privacy.erasure import store
from huiqun.privacy.erasure.collecting import AccessFileWriter, CollectedAccessFile
from huiqun.privacy.erasure.holdings import PersonalDataHolding
from huiqun.privacy.erasure.model import (
    AccessFile,
    AccessFileFetchedError,
    AccessFileNotFoundError,
    RequestKind,
    RequestState,
    StoredPersonRequest,
    Subject,
)
from huiqun.store import OutsideTransaction, Reader
from huiqun.tasks.model import Continue, Effect, Queue, TaskKind, TaskRun
from huiqun.work import Progress, Task, Work

ERASE: Final = "privacy.erase"
COLLECT: Final = "privacy.collect"
REQUEST_EVENTS: Final = PERSON_REQUESTS
_QUEUE: Final = Queue("privacy", 1)
#: By then every transaction that does not know of the suppression has ended; MongoDB gives none more time.
SUPPRESSION_DELAY: Final = timedelta(seconds=60)
ACCESS_FILE_RETENTION: Final = timedelta(days=7)
_FETCHING: Final = timedelta(hours=1)

#: Adds the accounts that the service itself knows to be a customer's.
ResolveAccounts = Callable[[Reader, str], Awaitable[Sequence[Account]]]


async def _resolve_nobody(_: Reader, __: str) -> Sequence[Account]:
    return ()


@dataclass(frozen=True, slots=True)
class PersonRequests:
    """The use cases of a service that holds all of these; `resolve` is for the one that knows customers."""

    service: str
    holdings: Sequence[PersonalDataHolding]
    directory: Directory
    resolve: ResolveAccounts = _resolve_nobody

    async def record_requests(self, work: Work, events: Sequence[ErasureRequested | AccessRequested]) -> None:
        """Begin with what is asked; who asks the same again gets the same answer."""
        for event in events:
            request = await self._request_of(work, event)
            known = await store.find_request(work, request.key)
            if known is None:
                await self._begin(work, request)
            elif known.state is RequestState.COMPLETED:
                self._answer(work, known)

    def task_kinds(self, database: OutsideTransaction) -> Mapping[str, TaskKind]:
        """How requests are carried out, in a queue of their own."""

        async def collect(run: TaskRun) -> CollectedAccessFile | None:
            request = await store.find_request(database, run.task.payload["request"])
            if request is None:
                return None
            subject = await self._subject_of(database, request)
            return await AccessFileWriter(database, self.directory.encryption, request, run).collect(
                self.holdings, subject
            )

        return {
            ERASE: TaskKind(self.erase_portion, _QUEUE),
            COLLECT: TaskKind(Effect(collect, self.record_access_file), _QUEUE),
        }

    async def erase_portion(self, work: Work, task: Task) -> Continue | None:
        """Erase the next portion of what is held; at the end, say what has become of all of it."""
        request = await store.find_request(work, task.payload["request"])
        if request is None:
            return None
        done = list(task.payload.get("done", ()))
        # By name: another release, which goes on with the task, may hold more.
        holding = next((each for each in self.holdings if each.what not in done), None)
        if holding is not None:
            portion = await holding.erase(work, await self._subject_of(work, request))
            await store.add_erasure_results(work, request.key, portion.results)
            done += [holding.what] if portion.is_done else []
            progress = Progress(len(done), len(self.holdings))
            return Continue({"request": request.key, "done": done}, progress=progress)
        await store.complete_request(work, request.key)
        await append_audit_entry(
            work, AuditEntry(request.requested_by, "erasure.completed", f"person-request/{request.key}")
        )
        self._answer(work, request)
        return None

    async def record_access_file(self, work: Work, task: Task, collected: CollectedAccessFile | None) -> None:
        """Make it known where the file can be fetched."""
        request = await store.find_request(work, task.payload["request"])
        if request is None or collected is None:
            return
        expires_at = work.now + ACCESS_FILE_RETENTION
        file = AccessFile(secrets.token_hex(32), expires_at, collected.bytes, collected.lines, collected.sha256)
        await store.complete_request(work, request.key, file)
        detail = {"sha256": file.sha256, "lines": file.lines}
        await append_audit_entry(
            work, AuditEntry(request.requested_by, "access.completed", f"person-request/{request.key}", detail)
        )
        self._answer(work, replace(request, file=file))

    async def _request_of(self, work: Work, event: ErasureRequested | AccessRequested) -> StoredPersonRequest:
        asked = event.data
        accounts = [Account(each.channel, each.member_id) for each in asked.members]
        if asked.customer_id is not None:
            accounts += await self.resolve(work, asked.customer_id)
        elif not accounts:
            accounts = [Account(DEFAULT_CHANNEL, asked.person_id)]
        return StoredPersonRequest(
            kind=RequestKind.ERASURE if isinstance(event, ErasureRequested) else RequestKind.ACCESS,
            request_id=asked.request_id,
            person_id=asked.person_id,
            requested_by=asked.requested_by,
            ground=asked.ground,
            received_at=work.now,
            accounts=tuple(dict.fromkeys(accounts)),
            customer_id=asked.customer_id,
        )

    async def _begin(self, work: Work, request: StoredPersonRequest) -> None:
        suppression = self.directory.suppression
        await store.insert_request(work, request, {suppression.hash_account(account) for account in request.accounts})
        kind, due = COLLECT, work.now
        if request.kind is RequestKind.ERASURE:
            await suppression.suppress_accounts(work, request.accounts, request.received_at)
            kind, due = ERASE, work.now + SUPPRESSION_DELAY
        work.schedule(Task(f"person-request/{request.key}", kind, due, {"request": request.key}))
        entry = AuditEntry(request.requested_by, f"{request.kind.value}.requested", f"person-request/{request.key}")
        await append_audit_entry(work, entry)

    async def _subject_of(self, reader: Reader, request: StoredPersonRequest) -> Subject:
        others = await list_namesake_groups(reader, request.accounts)
        return Subject(request.accounts, request.received_at, request.customer_id, others)

    def _answer(self, work: Work, request: StoredPersonRequest) -> None:
        who = {"request_id": request.request_id, "person_id": request.person_id, "service": self.service}
        source = f"huiqun/{self.service}"
        if request.kind is RequestKind.ERASURE:
            erasure = Erasure(**who, results=request.results)
            work.emit(ErasureCompleted.create(request.person_id, erasure, time=work.now, source=source))
        elif request.file is not None:
            access = Access(**who, download=request.file.reference, expires_at=request.file.expires_at)
            work.emit(AccessCompleted.create(request.person_id, access, time=work.now, source=source))


async def claim_access_file(work: Work, reference: str, actor: str) -> StoredPersonRequest:
    """Let the file be fetched by whoever comes first. Raises AccessFileNotFoundError, AccessFileFetchedError."""
    request = await store.find_request_by_reference(work, reference)
    if request is None or request.file is None or request.file.expires_at <= work.now:
        raise AccessFileNotFoundError(reference)
    if request.file.fetched_at is not None:
        raise AccessFileFetchedError(reference)
    await store.record_file_fetch(work, request, actor, work.now + _FETCHING)
    detail = {"sha256": request.file.sha256}
    await append_audit_entry(work, AuditEntry(actor, "access.downloaded", f"person-request/{request.key}", detail))
    return request

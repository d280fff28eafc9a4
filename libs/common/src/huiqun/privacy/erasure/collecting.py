"""Collect what is held of a person into a file of JSON lines, which is stored in encrypted parts."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from huiqun.privacy.encryption import SERVICE_KEY, FieldEncryption
from huiqun.privacy.erasure import store
from huiqun.privacy.erasure.holdings import PersonalDataHolding
from huiqun.privacy.erasure.model import AccessFileTooLargeError, StoredPersonRequest, Subject
from huiqun.store import OutsideTransaction, Reader
from huiqun.tasks.model import TaskRun

MAX_ACCESS_FILE_BYTES: Final = 1 << 30
_PART_BYTES: Final = 256 * 1024
#: What an attempt has left that nobody took up goes then.
_KEEP_UNFINISHED: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CollectedAccessFile:
    """A file that is written: its length, its lines and its hash."""

    bytes: int
    lines: int
    sha256: str


@dataclass(slots=True)
class AccessFileWriter:
    """Writes the file of a request; a further attempt begins anew."""

    outside: OutsideTransaction
    encryption: FieldEncryption
    request: StoredPersonRequest
    run: TaskRun
    bytes: int = 0
    lines: int = 0
    _parts: int = 0
    _done: int = 0
    _holdings: int = 0
    _held: bytearray = field(default_factory=bytearray)
    _digest: Any = field(default_factory=hashlib.sha256)

    async def collect(self, holdings: Sequence[PersonalDataHolding], subject: Subject) -> CollectedAccessFile:
        """Write everything that the person is shown; raises AccessFileTooLargeError."""
        await store.delete_access_file_parts(self.outside, self.request)
        shown = [(holding.what, holding.read) for holding in holdings if holding.read is not None]
        self._holdings = len(shown)
        await self._write({"request_id": self.request.request_id, "holdings": [what for what, _ in shown]})
        for what, read in shown:
            async for document in read(self.outside, subject):
                await self._write({"what": what, "data": document})
            self._done += 1
            await self.run.report_progress(self._done, self._holdings)
        await self._flush()
        return CollectedAccessFile(self.bytes, self.lines, self._digest.hexdigest())

    async def _write(self, row: Mapping[str, Any]) -> None:
        self._held += orjson.dumps(row, default=_plain, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
        self.lines += 1
        if len(self._held) >= _PART_BYTES:
            await self._flush()

    async def _flush(self) -> None:
        data, self._held = bytes(self._held), bytearray()
        self.bytes += len(data)
        if self.bytes > MAX_ACCESS_FILE_BYTES:
            raise AccessFileTooLargeError(self.request.key)
        self._digest.update(data)
        encrypted = await self.encryption.encrypt(data, SERVICE_KEY)
        expires_at: datetime = self.run.task.due + _KEEP_UNFINISHED
        await store.write_access_file_part(self.outside, self.request, self._parts, encrypted, expires_at)
        self._parts += 1
        await self.run.report_progress(self._done, self._holdings)


async def read_access_file(
    reader: Reader, encryption: FieldEncryption, request: StoredPersonRequest
) -> AsyncIterator[bytes]:
    """Read the file of a request, a part at a time."""
    async for part in store.read_access_file_parts(reader, request):
        yield await encryption.decrypt(part)


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)

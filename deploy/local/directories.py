"""Directories of one process each; a lock that the kernel lets go of tells them from what the dead have left."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

LOCK: Final = "owner.lock"
PREFIX: Final = "huiqun-"
RUNS: Final = Path(".run")


class UnusableDirectoryError(Exception):
    """A directory cannot be written to."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be used: {why}.")


class OwnedDirectory:
    """A directory that is this process's own for as long as it lives, or until it is given up."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    def release(self) -> None:
        """Leave it to whoever comes next, as it is."""
        os.close(self._lock)

    def remove(self) -> None:
        """Remove it with everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def create_temporary_directory() -> OwnedDirectory:
    """A new directory for data; those of processes that are gone are removed. Raises UnusableDirectoryError."""
    try:
        parent = Path(tempfile.gettempdir())
        remove_abandoned(parent, f"{PREFIX}*")
        while True:
            path = Path(tempfile.mkdtemp(prefix=PREFIX))
            lock = _take(path)
            if lock is not None:
                return OwnedDirectory(path, lock)
    except OSError as error:
        raise UnusableDirectoryError(Path(error.filename or "TMPDIR"), error.strerror or str(error)) from error


@contextmanager
def run_directory(name: str) -> Iterator[Path]:
    """`.run/<name>` for the logs of a run, `.run/<name>-2` beside one that goes on; without those of an earlier run.

    Raises UnusableDirectoryError.
    """
    owned = _own_run_directory(name)
    try:
        yield owned.path
    finally:
        owned.release()


def remove_abandoned(parent: Path, pattern: str) -> None:
    """Remove the directories of this user below `parent` whose process is gone."""
    for path in parent.glob(pattern):
        with suppress(OSError):
            if path.is_symlink() or path.stat().st_uid != os.getuid():
                continue
            lock = _take(path, new=False)
            if lock is not None:
                OwnedDirectory(path, lock).remove()


def _own_run_directory(name: str) -> OwnedDirectory:
    number = 1
    while True:
        path = RUNS / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = _take(path)
            if lock is not None:
                for left in (*path.glob("*.log"), path / "environment"):
                    left.unlink(missing_ok=True)
                remove_abandoned(RUNS, f"{name}-[0-9]*")
                return OwnedDirectory(path, lock)
        except OSError as error:
            raise UnusableDirectoryError(path, _why(path, error)) from error
        number += 1


def _take(path: Path, *, new: bool = True) -> int | None:
    """Lock a directory; None where somebody else has it, or has just removed it."""
    file = path / LOCK
    try:
        lock = os.open(file, os.O_RDWR | (os.O_CREAT if new else 0), 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), file.stat()):
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(lock)
    return None


def _why(path: Path, error: OSError) -> str:
    """Which part of a path is in the way, where it is one of ours."""
    for part in (RUNS, path):
        if part.is_symlink() and not part.exists():
            return f"{part} is a link that leads nowhere; remove it"
        if part.exists() and not part.is_dir():
            return f"{part} is a file; move it away"
    return f"{error.strerror or error} ({error.filename or path})"

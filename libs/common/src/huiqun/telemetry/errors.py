"""What is said of an error: its kind and where it came up, never its message, which may quote somebody's data."""

import errno
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# The messages of these are made of addresses, of settings, and of what the operating system said. Named, not imported:
# the drivers are confined elsewhere.
_WITHOUT_VALUES: Final = frozenset(
    {"ConnectionFailure", "KafkaConnectionError", "ConnectError", "MisconfigurationError"}
)
_MOST_FRAMES: Final = 12
_MOST_ERRORS: Final = 8
_LONGEST: Final = 300


def describe_error(error: BaseException) -> str:
    """Name the kind of an error and its code, in one line: `DuplicateKeyError 11000`, `OSError ENOSPC`."""
    kind = type(error).__name__
    if any(each.__name__ in _WITHOUT_VALUES for each in type(error).__mro__):
        return f"{kind}: {error}"[:_LONGEST]
    if isinstance(error, OSError) and error.errno is not None:
        return f"{kind} {errno.errorcode.get(error.errno, error.errno)}"
    code = getattr(error, "code", None)
    return f"{kind} {code}" if type(code) is int else kind


def format_error_chain(error: BaseException) -> str:
    """Tell where an error and what led to it came from, the first cause first: frames without their source, kinds."""
    return "\n\n".join(map(_told, reversed(list(_chain(error)))))


def format_frames(error: BaseException) -> str:
    """Where an error came from: the frames only, because its message may quote a person's data."""
    return "".join(traceback.format_tb(error.__traceback__)[-12:]) + type(error).__name__


def locate_error(error: BaseException) -> str:
    """What kind of error it was and where it came up, in one line; without its message, for the same reason."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    last = frames[-1]
    return f"{type(error).__name__} in {last.name}, {Path(last.filename).name} line {last.lineno}"


def _told(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    lines = [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}' for frame in frames]
    # An error's docstring is what it says without any value in it; those of the language itself say nothing new.
    said = "" if type(error).__module__ == "builtins" else (type(error).__doc__ or "").strip().split("\n", 1)[0]
    return "\n".join([*lines, f"{describe_error(error)}: {said}" if said else describe_error(error)])


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, its causes, and what a group of errors holds; each once."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _MOST_ERRORS:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        cause = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        waiting += [*([] if cause is None else [cause]), *getattr(each, "exceptions", ())]

"""What deviates from the contract and is still understood: made to fit, rather than refused.

A member whose `joined` is refused is unknown for ever, and a message that is refused is judged by nobody. Members
choose names of any length, mention everybody, and come in ways that nobody has heard of. So what is too long is cut, a
number out of its bounds becomes the bound, an id with characters that ids do not have is written without them, and an
optional field that cannot be understood is left out. What a message says, who said it and when is never guessed.
"""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from huiqun.contracts.envelope import Event

# More than one look is needed where a repaired value has another fault.
_LOOKS: Final = 4
_LONGEST_ID: Final = 128
_DIGEST_BYTES: Final = 16
_UNFIT: Final = re.compile(r"[\s/~\x00-\x1f\x7f]")
# What is judged, and which of several: a part of it, or something near it, would be something else.
_WHOLE: Final = frozenset({"text", "url", "quoted", "revision", "as_of", "page", "pages", "complete"})
_MEMBERS: Final = ("data", "members")
_EXTERNAL_IDS: Final = ("unionid", "external_userid")
_Loc = tuple[int | str, ...]


def repair_event(kinds: Mapping[str, type[Event]], value: bytes) -> Event | None:
    """The event in a record that does not validate as it is; None where it cannot be understood for sure."""
    try:
        record = from_json(value)
    except ValueError:
        return None
    kind = kinds.get(str(record.get("type"))) if isinstance(record, dict) else None
    if kind is None:
        return None
    for _ in range(_LOOKS):
        try:
            return kind.model_validate_json(to_json(record, inf_nan_mode="constants"))
        except ValidationError as error:
            faults = error.errors(include_url=False)
        # From the last to the first, so that what is left out of a list moves nothing that has still to be found.
        for fault in sorted(faults, key=_place, reverse=True):
            if not _repair(record, fault):
                return None
            _note_missing(record, fault["loc"])
    return None


def normalize_id(text: str) -> str:
    """An id as ours are: without white space and slashes, which become ~ and two digits a byte, and not too long."""
    plain = text
    if _UNFIT.search(text) and re.search(r"[\s/\x00-\x1f\x7f]", text):
        plain = _UNFIT.sub(lambda found: "".join(f"~{byte:02X}" for byte in found[0].encode()), text)
    if len(plain) <= _LONGEST_ID:
        return plain
    digest = hashlib.blake2b(text.encode(errors="replace"), digest_size=_DIGEST_BYTES).hexdigest()
    return f"{plain[: _LONGEST_ID - len(digest) - 1]}~{digest}"


def _place(fault: ErrorDetails) -> list[tuple[bool, int, str]]:
    return [(isinstance(step, int), step if isinstance(step, int) else 0, str(step)) for step in fault["loc"]]


def _repair(record: dict[str, Any], fault: ErrorDetails) -> bool:
    """Mend one fault in the record; False where that would be guessing."""
    loc = fault["loc"]
    if loc == ("data", "group_id") and fault["type"] == "missing":
        return _take_subject(record)
    if not loc or loc[0] not in ("data", "subject") or fault["type"] == "missing":
        return False
    holder = _holder(record, loc)
    step = loc[-1]
    if holder is None or (step in _WHOLE and holder[step] is not None):
        return False
    fitting = _fitting(holder[step], fault, loc)
    if fitting is not None:
        holder[step] = fitting
        return True
    return _leave_out(holder, step, loc)


def _note_missing(record: dict[str, Any], loc: _Loc) -> None:
    """Of a page that was cut, or that an entry was left out of, nobody may be taken to have left."""
    if loc[:2] == _MEMBERS and len(loc) <= len(_MEMBERS) + 1:
        record["data"]["complete"] = False


def _take_subject(record: dict[str, Any]) -> bool:
    """A payload that names no group is about that of its envelope."""
    if not isinstance(record.get("data"), dict) or not isinstance(record.get("subject"), str):
        return False
    record["data"]["group_id"] = record["subject"]
    return True


def _holder(record: dict[str, Any], loc: _Loc) -> Any:  # noqa: ANN401 - a part of any JSON
    """The object or list that holds the value at `loc`; None where there is none, as with a key of a mapping."""
    holder: Any = record
    for step in loc[:-1]:
        try:
            holder = holder[step]
        except (KeyError, IndexError, TypeError):
            return None
    found = isinstance(holder, dict) and loc[-1] in holder
    listed = isinstance(holder, list) and isinstance(loc[-1], int) and loc[-1] < len(holder)
    return holder if found or listed else None


def _fitting(value: Any, fault: ErrorDetails, loc: _Loc) -> Any:  # noqa: ANN401 - any JSON
    """The value as it fits; None where there is no such value."""
    limits = fault.get("ctx", {})
    match fault["type"]:
        case "string_pattern_mismatch" if isinstance(value, str) and value:
            return normalize_id(value)
        case "string_too_long" if limits.get("max_length") == _LONGEST_ID:
            return normalize_id(value)
        case "string_too_long" if "external_ids" not in loc:
            return value[: limits["max_length"]]
        case "too_long" if isinstance(value, dict):
            names = sorted(value, key=lambda name: name not in _EXTERNAL_IDS)
            return {name: value[name] for name in names[: limits["max_length"]]}
        case "too_long" if isinstance(value, Sequence):
            return value[: limits["max_length"]]
        case "greater_than_equal" if _is_number(limits["ge"]) and _is_number(value):
            return limits["ge"]
        case "less_than_equal" if _is_number(limits["le"]) and _is_number(value):
            return limits["le"]
        case "string_type" if loc[-1] in ("scene", "state") and isinstance(value, int):
            return str(value)
        case "enum" if "'other'" in limits.get("expected", "") and isinstance(value, str):
            return "other"
    return None


def _is_number(value: object) -> bool:
    """Whether it can be brought within bounds; a moment is what it is."""
    return isinstance(value, int | float) and not math.isnan(value)


def _leave_out(holder: Any, step: int | str, loc: _Loc) -> bool:  # noqa: ANN401 - an object or a list
    """Leave out what cannot be understood: whether the field has to be there, the next look will tell."""
    if loc in (("data",), ("subject",), ("data", "sender")):
        return False
    del holder[step]
    return True

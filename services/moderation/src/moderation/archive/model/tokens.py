"""What stands for personal data in the archive: a keyed hash, by which equal values are found and none is read."""

from collections.abc import Iterable
from dataclasses import dataclass

from huiqun.privacy.detection import PersonalData, PersonalDataKind, canonical_value, find_personal_data
from huiqun.privacy.keys import RotatingKey
from huiqun.privacy.masking import keyed_hash


@dataclass(frozen=True, slots=True)
class Token:
    """Stands for one value of a kind; without the key nobody can tell which."""

    kind: PersonalDataKind
    hash: str


class NoPersonalDataError(ValueError):
    """The value is not of this kind: no message can have been found to hold it."""


def tokens_in(text: str, finds: Iterable[PersonalData], key: bytes) -> tuple[Token, ...]:
    """A token for each different value that was found in the text."""
    found = (Token(find.kind, keyed_hash(canonical_value(text, find), key)) for find in finds)
    return tuple(dict.fromkeys(found))


def tokens_of(value: str, kind: PersonalDataKind, key: RotatingKey) -> tuple[Token, ...]:
    """The tokens of a value that somebody asks for, in whatever spelling: under the present key, and the one before.

    Raises NoPersonalDataError.
    """
    finds = [find for find in find_personal_data(value) if find.kind is kind]
    if len(finds) != 1:
        raise NoPersonalDataError(kind.value)
    return tuple(tokens_in(value, finds, known)[0] for known in key.accepted_keys)

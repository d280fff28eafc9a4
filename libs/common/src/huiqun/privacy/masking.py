"""Masks personal data in a text, and hashes it under a key so that masked values can still be matched."""

import hashlib
import hmac
from collections.abc import Iterable

from huiqun.privacy.detection import PersonalData, PersonalDataKind

# Characters kept at the front and at the back: enough for the owner to recognise, not enough to use.
_KEPT = {
    PersonalDataKind.ID_CARD: (3, 4),
    PersonalDataKind.BANK_CARD: (4, 4),
    PersonalDataKind.MOBILE: (3, 4),
}


def mask_spans(text: str, finds: Iterable[PersonalData]) -> str:
    """Replace most of each find by `*`: 138****5678. The length stays, so spans of `text` hold in the result too."""
    characters = list(text)
    for find in finds:
        for at in _hidden(text, find):
            characters[at] = "*"
    return "".join(characters)


def keyed_hash(value: str, key: bytes) -> str:
    """Return HMAC-SHA256 of `value` under `key` as 64 hex digits; hash canonical values, or spellings differ."""
    return hmac.digest(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()


def _hidden(text: str, find: PersonalData) -> list[int]:
    """Offsets to cover; gaps between groups stay visible."""
    if find.kind is PersonalDataKind.EMAIL:
        local_end = max(text.find("@", find.start, find.end), text.find("＠", find.start, find.end))
        return list(range(find.start + (local_end - find.start > 1), local_end))
    front, back = _KEPT[find.kind]
    significant = [at for at in range(find.start, find.end) if text[at].isalnum()]
    return significant[front:-back]

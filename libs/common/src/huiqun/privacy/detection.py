"""Finds personal data in a text: ID card, bank card, mobile number, email."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class PersonalDataKind(StrEnum):
    """What a find is. The order is the order of precedence where two finds overlap."""

    ID_CARD = "id_card"
    EMAIL = "email"
    BANK_CARD = "bank_card"
    MOBILE = "mobile"


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One find: `text[start:end]` is personal data. The value itself is not carried, so that a find can be logged."""

    kind: PersonalDataKind
    start: int
    end: int
    confidence: float


# Spellings of digits that people type: plain, full-width, circled in four styles, mathematical.
_DIGITS = "0-9０-９⓪①-⑨❶-❾➀-➈➊-➒𝟎-𝟿"
_DIGIT_RANGES = re.findall(r"(.)-(.)", _DIGITS[3:])


def _ascii_table() -> dict[int, int]:
    """Those digits, and the full-width forms of letters and signs, each to one ASCII character."""
    table = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    table[ord("⓪")] = ord("0")
    for first, last in _DIGIT_RANGES:
        table.update((code, ord("0") + unicodedata.digit(chr(code))) for code in range(ord(first), ord(last) + 1))
    return table


# One character becomes one character, so that offsets stay those of the original text.
_ASCII = _ascii_table()
_GAP = r"[\s\-_.·‐-―－\u200b-\u200d\ufeff]"
# Most texts end with the first search: no find without a digit or an @. The second wants ten digits close together.
_DIGIT_OR_AT = re.compile(f"[@＠{_DIGITS}]")
_CANDIDATE = re.compile(f"[@＠]|[{_DIGITS}](?:{_GAP}{{0,3}}[{_DIGITS}]){{9}}")
_RUN = re.compile(rf"[0-9](?:{_GAP}{{0,3}}[0-9])*(?:{_GAP}{{0,3}}[Xx](?![0-9A-Za-z]))?")
_GROUP = re.compile("[0-9]+[Xx]?|[Xx]")

_ID_SHAPE = re.compile(
    r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9[0-9])[0-9]{4}"
    r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]"
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
# UnionPay 60, 62, 68, 69 and the older 955x in 16 to 19 digits; Visa, Mastercard and JCB in 16.
_CARD_SHAPE = re.compile(r"(?:6[0289]|955)[0-9]+|(?:4[0-9]|5[1-5]|2[2-7]|35)[0-9]{14}")
_MOBILE_SHAPE = re.compile(r"1[3-9][0-9]{9}")
_COUNTRY_CODES = {13: "86", 15: "0086"}

_LOCAL_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+\-]{0,63}\Z")
_DOMAIN = re.compile(r"@((?:[A-Za-z0-9\-]{1,63}\.){1,4}[A-Za-z]{2,24})(?![A-Za-z0-9])")


def find_personal_data(text: str) -> list[PersonalData]:
    """Return the finds in `text`, in order, without overlaps; spans are offsets into `text`."""
    first = _DIGIT_OR_AT.search(text)
    if first is None or _CANDIDATE.search(text, first.start()) is None:
        return []
    plain = text.translate(_ASCII)
    finds = [*_emails(plain), *_numbers(plain)]
    if len(finds) < 2:
        return finds
    return _without_overlaps(finds)


def canonical_value(text: str, find: PersonalData) -> str:
    """Return what was found in one spelling (ASCII, upper-case X, no gaps), for hashing and comparing."""
    plain = text[find.start : find.end].translate(_ASCII)
    if find.kind is PersonalDataKind.EMAIL:
        return plain.lower()
    return "".join(char for char in plain if char.isalnum()).upper()


def is_id_card(number: str) -> bool:
    """Tell whether 18 characters are a mainland ID number: region, a date that exists, ISO 7064 MOD 11-2 checksum."""
    if _ID_SHAPE.fullmatch(number) is None:
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number[:17], strict=True))
    return _ID_CHECKS[total % 11] == number[17].upper()


def is_bank_card(number: str) -> bool:
    """Tell whether 16 to 19 digits have an issuer's prefix and pass Luhn."""
    if not 16 <= len(number) <= 19 or _CARD_SHAPE.fullmatch(number) is None:
        return False
    digits = [int(digit) for digit in reversed(number)]
    doubled = (digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _numbers(plain: str) -> Iterator[PersonalData]:
    for run in _RUN.finditer(plain):
        if run.end() - run.start() < 11:
            continue
        groups = [(match.start(), match.end()) for match in _GROUP.finditer(plain, run.start(), run.end())]
        yield from _numbers_in_groups(plain, groups)


def _numbers_in_groups(plain: str, groups: list[tuple[int, int]]) -> Iterator[PersonalData]:
    """Try every stretch of whole groups whose characters add up to the length of a known number."""
    positions = [at for start, end in groups for at in range(start, end)]
    number = "".join(plain[at] for at in positions)
    edges: dict[int, int] = {}
    at = 0
    for index, (start, end) in enumerate(groups):
        edges[at] = index
        at += end - start
    edges[at] = len(groups)
    for first, group in edges.items():
        for length in (18, 19, 17, 16, 15, 13, 11):
            last_group = edges.get(first + length)
            if last_group is None or last_group <= group:
                continue
            found = _classify(number[first : first + length])
            if found is None:
                continue
            kind, skipped, confidence = found
            sizes = [end - start for start, end in groups[group:last_group]]
            if kind is PersonalDataKind.MOBILE and len(sizes) > 1:
                # Dates and amounts in a row add up to eleven digits too: only groupings that people use are believed.
                if max(sizes) > 1 and len(sizes) > 3 + bool(skipped):
                    continue
                confidence = 0.9
            yield PersonalData(kind, positions[first + skipped], positions[first + length - 1] + 1, confidence)


def _classify(number: str) -> tuple[PersonalDataKind, int, float] | None:
    """Return kind, characters of a country code to leave out, and confidence."""
    if len(number) == 18 and is_id_card(number):
        return PersonalDataKind.ID_CARD, 0, 1.0
    if is_bank_card(number):
        return PersonalDataKind.BANK_CARD, 0, 0.95 if number.startswith(("62", "955")) else 0.8
    code = _COUNTRY_CODES.get(len(number), "")
    if number.startswith(code) and _MOBILE_SHAPE.fullmatch(number, len(code)) is not None:
        return PersonalDataKind.MOBILE, len(code), 1.0
    return None


def _emails(plain: str) -> Iterator[PersonalData]:
    at = plain.find("@")
    while at != -1:
        # Bounded on both sides: an unbounded search for the local part is quadratic on a long text.
        local = _LOCAL_PART.search(plain, max(0, at - 64), at) if at and plain[at - 1].isalnum() else None
        domain = _DOMAIN.match(plain, at) if local is not None else None
        if local is not None and domain is not None:
            yield PersonalData(PersonalDataKind.EMAIL, local.start(), domain.end(), 1.0)
        at = plain.find("@", at + 1)


_PRECEDENCE = {kind: rank for rank, kind in enumerate(PersonalDataKind)}


def _without_overlaps(finds: list[PersonalData]) -> list[PersonalData]:
    kept: list[PersonalData] = []
    taken: set[int] = set()
    for find in sorted(finds, key=lambda find: (_PRECEDENCE[find.kind], find.start, -find.end)):
        span = range(find.start, find.end)
        if taken.isdisjoint(span):
            taken.update(span)
            kept.append(find)
    return sorted(kept, key=lambda find: find.start)

"""Personal values that are planted, each once, so that whoever finds one can say where it was planted."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count, cycle
from typing import Any

from huiqun.privacy.detection import is_bank_card, is_id_card

_GAPS = re.compile(r"[\s\-_.·‐-―－\u200b-\u200d\ufeff]+")
_NUMBERS = re.compile(r"[0-9]{11,}X?")
_MARKS = re.compile(r"plant[0-9]+@plants\.example|植名[0-9]+号|unionplant[0-9]+")
_LENGTHS = (11, 18, 19)


@dataclass
class Plants:
    """Makes values and remembers them in one spelling, by where they were planted."""

    planted: dict[str, str] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        spellings: list[Callable[[str], str]] = [
            self.mobile,
            self.id_card,
            self.bank_card,
            self.email,
            lambda where: _grouped(self.mobile(where), " "),
            lambda where: _grouped(self.mobile(where), "-"),
            lambda where: _full_width(self.mobile(where)),
            lambda where: f"{self.bank_card(where)[:6]} {self.bank_card(where)}",
        ]
        self._kinds = cycle(spellings[:-1])

    def mobile(self, where: str) -> str:
        return self._note(f"139{next(self.numbers):08d}", where)

    def id_card(self, where: str) -> str:
        number = next(self.numbers)
        born = date(1950, 1, 1) + timedelta(days=number // 900)
        stem = f"110105{born:%Y%m%d}{number % 900 + 100}"
        return self._note(next(f"{stem}{check}" for check in "0123456789X" if is_id_card(f"{stem}{check}")), where)

    def bank_card(self, where: str) -> str:
        stem = f"622202{next(self.numbers):012d}"
        return self._note(next(f"{stem}{check}" for check in range(10) if is_bank_card(f"{stem}{check}")), where)

    def email(self, where: str) -> str:
        return self._note(f"plant{next(self.numbers)}@plants.example", where)

    def name(self, where: str) -> str:
        return self._note(f"植名{next(self.numbers)}号", where)

    def platform_id(self, where: str) -> str:
        return self._note(f"unionplant{next(self.numbers)}", where)

    def prose(self, where: str, longest: int | None) -> str:
        """A text with as many values as there is room for; the next text begins with another kind."""
        room = min(longest or 500, 500)
        text = ""
        for _ in range(7):
            longer = f"{text}请记{next(self._kinds)(where)}。"
            if len(longer) > room:
                break
            text = longer
        if text or room < 11:
            return text or "说明"
        return self.mobile(where)

    def found_in(self, value: Any) -> set[str]:
        """Where the values were planted that stand in this one: a text, bytes, or what holds such, keys included."""
        return {self.planted[each] for text in _texts(value) for each in _candidates(text) if each in self.planted}

    def _note(self, value: str, where: str) -> str:
        self.planted[value] = where
        return value


def _grouped(number: str, gap: str) -> str:
    return gap.join((number[:3], number[3:7], number[7:]))


def _full_width(number: str) -> str:
    return "".join(chr(ord(digit) + 0xFEE0) for digit in number)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(name)
            yield from _texts(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _texts(inner)


def _candidates(text: str) -> Iterator[str]:
    plain = unicodedata.normalize("NFKC", text)
    yield from _MARKS.findall(plain)
    for run in _NUMBERS.findall(_GAPS.sub("", plain).upper()):
        for start in range(len(run) - 10):
            for length in _LENGTHS:
                yield run[start : start + length]

"""Finds links and offers of contact outside the group: addresses, WeChat ids, QQ numbers."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from moderation.lexicon.matching.folding import FOLDED, fold_text, list_offsets
from moderation.lexicon.matching.folding_tables import SEPARATOR

_TOP_LEVEL = (
    "com|cn|net|org|top|xyz|vip|info|cc|io|me|shop|club|site|online|app|live|tv|link|work|fun|biz|ru|hk|tk|ink|wang"
    "|co|ly|gg|ai|dev|tw|jp|uk|pro|store|tech|mobi|win|bid|loan|ltd|cloud|icu|buzz|cyou|cfd|sbs|pw|la"
)
# No text without one of these, or what folds to them, can hold a find: the search that most texts end with, so a single
# class. What lies beyond the first plane has one of its own, because a class of both would be searched one by one.
_TELLING = frozenset(map(ord, ".微薇徽威vwq扣企加嘉+"))
_CANDIDATE = re.compile(
    "[{}]".format("".join(re.escape(chr(code)) for code, target in enumerate(FOLDED[:0x10000]) if target in _TELLING))
)
_BEYOND = re.compile("[\U0001d400-\U0001d7ff\U0001f100-\U0001f1ff🐧]")  # mathematical letters, letters as emoji
# Nearly every sentence ends with this stop, and in few a Latin letter follows.
_STOP_FOR_DOT = re.compile(r"。[a-zA-Zａ-ｚＡ-Ｚ]")
# The patterns read the folded text: lower case, half width, simplified, without invisible characters.
_LINK = re.compile(
    rf"(?:(?:https?|ftp)://(?:[!-.:-~]*@)?([a-z0-9][a-z0-9.-]*|[^\s/?#:@]+)"
    rf"|((?:[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?[.。]){{1,5}}(?:{_TOP_LEVEL}))(?![a-z0-9.-])"
    # whatever it ends in, where a path follows: short links
    rf"|((?<![a-z0-9.-])(?:[a-z0-9-]{{1,63}}[.。]){{1,4}}[a-z]{{2,10}})(?=/[a-z0-9]))(?:[:/?#][!-~]*)?"
)
# What every link and every id has: a cheap look before the patterns themselves.
_DOTTED = re.compile(r"[a-z0-9][.。][a-z0-9]|://")
_HAN_DIGITS = "〇零一幺壹二贰三叁四肆五伍六陆七柒八捌九玖"
_IN_FIGURES = str.maketrans(_HAN_DIGITS, "001112233445566778899")
# Letters that fold to Latin ones and are none: phonetic, Greek, Cyrillic, Armenian, and small capitals.
_FOREIGN = re.compile("[\u0100-\u02af\u0370-\u058f\u1d00-\u1dbf]")
_DIGITS = f"0-9{_HAN_DIGITS}"
_ID = re.compile(rf"[-_a-z{_DIGITS}]{{5}}")
_GAP = r"[\W_]{0,2}"  # what is put between the characters of a word, to hide it
_COLON = r"(?:[^\w。！？!?\n]|是){0,6}"
_WECHAT = re.compile(
    rf"(?:(?:微|薇|徽|威|v|(?<![a-z])wei){_GAP}(?:信|❤|心号|xin)|(?:加|嘉|\+|➕|(?<![a-z])jia){_GAP}(?:v|微|薇|徽|威)"
    rf"|(?<![a-z0-9])(?:[vw]{_GAP}x|{_GAP.join('weixin')}|wechat|v{_GAP}❤))"
    rf"(?:号|id|同号)?{_COLON}([a-z][-_a-z0-9]{{5,19}}|[{_DIGITS}]{{6,11}})"
)
_QQ = re.compile(
    rf"(?:(?<![a-z0-9])q{_GAP}q|扣{_GAP}扣|企鹅|🐧|扣{_GAP}群|(?<![a-z0-9])q{_GAP}群)(?:号|群)?{_COLON}"
    rf"([1-9{_HAN_DIGITS[2:]}][{_DIGITS}]{{4,11}})"
)


@dataclass(frozen=True, slots=True)
class FoundSpan:
    """Something found at `start` to `end`; `value` is the domain or the id."""

    start: int
    end: int
    value: str


def may_lead_outside(text: str) -> bool:
    """Whether a closer look at the text is worth its time."""
    if _CANDIDATE.search(text) is not None or _BEYOND.search(text) is not None:
        return True
    return "。" in text and _STOP_FOR_DOT.search(text) is not None


def find_links(text: str) -> list[FoundSpan]:
    """The links in a text, with their domains in lower case; letters of other alphabets make another domain."""
    return [
        replace(found, value=written.lower()) if _FOREIGN.search(written) else found
        for found, written in _find(text, _DOTTED, (_LINK,))
    ]


def find_contacts(text: str) -> list[FoundSpan]:
    """Where a text says how to be reached elsewhere."""
    return [replace(found, value=found.value.translate(_IN_FIGURES)) for found, _ in _find(text, _ID, (_WECHAT, _QQ))]


def list_outside_links(links: Iterable[FoundSpan], allowed: Iterable[str]) -> list[FoundSpan]:
    """The links to domains that are neither allowed nor below an allowed one."""
    domains = tuple(allowed)
    return [
        link
        for link in links
        if not any(link.value == domain or link.value.endswith(f".{domain}") for domain in domains)
    ]


def _find(text: str, shape: re.Pattern[str], patterns: Iterable[re.Pattern[str]]) -> Iterator[tuple[FoundSpan, str]]:
    """What the patterns find in the folded text, with offsets into the original, and how the domain or id is written
    there; nothing where `shape` is missing."""
    folded = fold_text(text)
    if shape.search(folded) is None:
        return
    origins: list[int] | None = None
    for pattern in patterns:
        for match in pattern.finditer(folded):
            if origins is None:
                origins = list_offsets(text.replace(SEPARATOR, " "), FOLDED)
            first, last = match.span(match.lastindex or 0)
            value = folded[first:last].replace("。", ".").rstrip(".")
            written = text[origins[first] : origins[last - 1] + 1]
            yield FoundSpan(origins[match.start()], origins[match.end() - 1] + 1, value), written

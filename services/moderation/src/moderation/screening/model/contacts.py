"""Finds links and offers of contact outside the group: addresses, WeChat ids, QQ numbers."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from moderation.lexicon.model.folding import FOLDED, SEPARATOR, fold, offsets

_TOP_LEVEL = (
    "com|cn|net|org|top|xyz|vip|info|cc|io|me|shop|club|site|online|app|live|tv|link|work|fun|biz|ru|hk|tk|ink|wang"
    "|co|ly|gg|ai|dev|tw|jp|uk|pro|store|tech|mobi|win|bid|loan|ltd|cloud|icu|buzz|cyou|cfd|sbs|pw|la"
)
# No text without one of these characters can hold a find: the search that most texts end with, so a single class.
_CANDIDATE = re.compile(r"[.．微薇徽威vVｖＶⓋwWｗＷqQｑＱ扣企加➕]")
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
_ID = re.compile(r"[-_a-z0-9]{5}")
_GAP = r"[\W_]{0,2}"  # what is put between the characters of a word, to hide it
_WECHAT = re.compile(
    rf"(?:(?:微|薇|徽|威|v){_GAP}(?:信|❤|心号)|(?:加|\+|➕){_GAP}(?:v|微|薇|徽)"
    rf"|(?<![a-z0-9])(?:[vw]{_GAP}x|{_GAP.join('weixin')}|wechat|v{_GAP}❤))"
    r"(?:号|id|同号)?[\s:=是-]{0,4}([a-z][-_a-z0-9]{5,19}|1[3-9][0-9]{9}|[0-9]{6,11})"
)
_QQ = re.compile(
    rf"(?:(?<![a-z0-9])q{_GAP}q|扣{_GAP}扣|企鹅|扣{_GAP}群|(?<![a-z0-9])q{_GAP}群)(?:号|群)?[\s:=是-]{{0,4}}([1-9][0-9]{{4,11}})"
)


@dataclass(frozen=True, slots=True)
class Span:
    """Something found at `start` to `end`; `value` is the domain or the id."""

    start: int
    end: int
    value: str


def may_lead_outside(text: str) -> bool:
    """Whether a closer look at the text is worth its time."""
    return _CANDIDATE.search(text) is not None or ("。" in text and _STOP_FOR_DOT.search(text) is not None)


def find_links(text: str) -> list[Span]:
    """The links in a text, with their domains in lower case."""
    return list(_find(text, _DOTTED, (_LINK,)))


def find_contacts(text: str) -> list[Span]:
    """Where a text says how to be reached elsewhere."""
    return list(_find(text, _ID, (_WECHAT, _QQ)))


def outside(links: Iterable[Span], allowed: Iterable[str]) -> list[Span]:
    """The links to domains that are neither allowed nor below an allowed one."""
    domains = tuple(allowed)
    return [
        link
        for link in links
        if not any(link.value == domain or link.value.endswith(f".{domain}") for domain in domains)
    ]


def _find(text: str, shape: re.Pattern[str], patterns: Iterable[re.Pattern[str]]) -> Iterator[Span]:
    """What the patterns find in the folded text, with offsets into the original; nothing where `shape` is missing."""
    folded = fold(text)
    if shape.search(folded) is None:
        return
    origins: list[int] | None = None
    for pattern in patterns:
        for match in pattern.finditer(folded):
            if origins is None:
                origins = offsets(text.replace(SEPARATOR, " "), FOLDED)
            value = next(filter(None, match.groups())).replace("。", ".").rstrip(".")
            yield Span(origins[match.start()], origins[match.end() - 1] + 1, value)

"""Finds links and offers of contact outside the group: addresses, WeChat ids, QQ numbers."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_TOP_LEVEL = (
    "com|cn|net|org|top|xyz|vip|info|cc|io|me|shop|club|site|online|app|live|tv|link|work|fun|biz|ru|hk|tk|ink|wang"
)
# No text without one of these characters can hold a find: the search that most texts end with, so a single class.
_CANDIDATE = re.compile(r"[.微薇徽威vVwWqQ扣企加]")
_LINK = re.compile(
    rf"(?i)(?:https?://|ftp://)?((?:[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?\.){{1,5}}(?:{_TOP_LEVEL}))(?![a-z0-9.-])(?:[:/?#][^\s，。；！？]*)?"
)
_WECHAT = re.compile(
    r"(?i)(?:微信|薇信|徽信|威信|微❤|微心|微号|vx|wx|v信|vｘ|weixin|wechat|加v|加微|加薇)(?:号|id|同号)?\s{0,3}[:：=是]?\s{0,3}([a-z][-_a-z0-9]{5,19}|1[3-9][0-9]{9}|[0-9]{6,11})"
)
_QQ = re.compile(r"(?i)(?:qq|扣扣|企鹅|扣群|q群|qq群)(?:号|群)?\s{0,3}[:：=是]?\s{0,3}([1-9][0-9]{4,11})")


@dataclass(frozen=True, slots=True)
class Span:
    """Something found at `start` to `end`; `value` is the domain or the id."""

    start: int
    end: int
    value: str


def may_lead_outside(text: str) -> bool:
    """Whether a closer look at the text is worth its time."""
    return _CANDIDATE.search(text) is not None


def find_links(text: str) -> list[Span]:
    """The links in a text, with their domains in lower case."""
    return [Span(match.start(), match.end(), match.group(1).lower()) for match in _LINK.finditer(text)]


def find_contacts(text: str) -> list[Span]:
    """Where a text says how to be reached elsewhere."""
    return list(_contacts(text))


def outside(links: Iterable[Span], allowed: Iterable[str]) -> list[Span]:
    """The links to domains that are neither allowed nor below an allowed one."""
    domains = tuple(allowed)
    return [
        link
        for link in links
        if not any(link.value == domain or link.value.endswith(f".{domain}") for domain in domains)
    ]


def _contacts(text: str) -> Iterator[Span]:
    for pattern in (_WECHAT, _QQ):
        for match in pattern.finditer(text):
            yield Span(match.start(), match.end(), match.group(1))

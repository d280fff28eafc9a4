"""How much of a message is judged and kept: of what is longer, the beginning and the end.

Judging takes time that grows with the text, and what is judged goes on to a broker and a database that have limits of
their own. No chat platform's client writes texts of this length; what has one was made to have it.
"""

import re
from typing import Final, NamedTuple

from huiqun.contracts.channel import MAX_TEXT, Message
from huiqun.contracts.channel.messages import Quotation
from huiqun.contracts.moderation import MaskedQuotation, Reason
from huiqun.privacy.detection import find_personal_data
from huiqun.privacy.text import mask_text

#: The longest address that is judged and kept as a whole, in characters.
MAX_ADDRESS: Final = 4_096
#: The most reasons that are made known of a message, and the most places of each.
MAX_REASONS: Final = 100
MAX_SPANS: Final = 100
#: How much of what a message quotes is made known, in characters, and how many of those whom it mentions.
MAX_QUOTED: Final = 1_000
MAX_MENTIONS: Final = 100
# How much is kept from the beginning and from the end of a text that is too long, and of an address; the rest of the
# limit is for what stands across the cuts, and for the words that say what is missing.
_OF_TEXT: Final = (14_000, 4_000)
_OF_ADDRESS: Final = (2_000, 400)
# No word of a lexicon is longer than half of it, and no personal data than it, however spaced out. What begins before
# the first measure of a text, or ends behind the second, is whole.
_REACH: Final = 400
_PARTING: Final = re.compile(r"[\s，。！？；、,.!?;]")
_LOGIN: Final = 100
_AUTHORITY: Final = re.compile(r"//[^/?#\\]*")


class MessageExcerpt(NamedTuple):
    """A message as it is judged and kept; `left_out` characters of its text are missing, or a part of its address."""

    message: Message
    left_out: int
    address_is_cut: bool


def is_too_long(message: Message) -> bool:
    """Whether not all of a message can be judged."""
    return len(message.text) > MAX_TEXT or (message.url is not None and len(message.url) > MAX_ADDRESS)


def excerpt_message(message: Message) -> MessageExcerpt:
    """The message, cut where it is too long."""
    text, url = message.text, message.url
    kept, left_out = (text, 0) if len(text) <= MAX_TEXT else _excerpt(text, *_OF_TEXT)
    address_is_cut = url is not None and len(url) > MAX_ADDRESS
    if url is not None and address_is_cut:
        url, _ = _excerpt(_without_login(url), *_OF_ADDRESS)
    return MessageExcerpt(message.model_copy(update={"text": kept, "url": url}), left_out, address_is_cut)


def bound_reasons(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """The reasons that are made known: the severest, in their order, with the first places of each."""
    if len(reasons) > MAX_REASONS:
        ranked = sorted(range(len(reasons)), key=lambda at: (reasons[at].shadow, -reasons[at].severity, at))
        reasons = tuple([reasons[at] for at in sorted(ranked[:MAX_REASONS])])
    if all(len(reason.spans) <= MAX_SPANS for reason in reasons):
        return reasons
    return tuple([reason.model_copy(update={"spans": reason.spans[:MAX_SPANS]}) for reason in reasons])


def mask_quotation(quotation: Quotation) -> MaskedQuotation:
    """What is made known of a quotation: how it begins, masked, without the name of who wrote it."""
    text = mask_text(quotation.text[: MAX_QUOTED + _REACH])[:MAX_QUOTED]
    return MaskedQuotation(message_id=quotation.message_id, member_id=quotation.member_id, masked_text=text)


def _excerpt(text: str, beginning: int, end: int) -> tuple[str, int]:
    """How a text begins and ends, with a word on what is missing, and how many characters that is."""
    if len(text) <= beginning + end + 4 * _REACH:
        return text, 0
    first, last = _cut_behind(text, beginning), _cut_before(text, len(text) - end)
    return f"{text[:first]}\n〔……此处略去 {last - first} 字，未审核……〕\n{text[last:]}", last - first


def _cut_behind(text: str, least: int) -> int:
    """Where the beginning ends: behind `least`, where a sentence does if one does, and not within personal data."""
    most = least + _REACH
    partings = list(_PARTING.finditer(text, least + _REACH // 2, most))
    at = partings[-1].end() if partings else most
    return next((end for start, end in _personal(text, at) if start < at < end), at)


def _cut_before(text: str, most: int) -> int:
    """Where the end begins, likewise."""
    least = most - _REACH
    parting = _PARTING.search(text, least, most - _REACH // 2)
    at = parting.start() if parting else least
    return next((start for start, end in _personal(text, at) if start < at < end), at)


def _personal(text: str, at: int) -> list[tuple[int, int]]:
    """Where personal data stands about a place."""
    start = max(at - _REACH, 0)
    return [(start + find.start, start + find.end) for find in find_personal_data(text[start : at + _REACH])]


def _without_login(url: str) -> str:
    """The address without most of what stands before its @: as much as one likes, to hide where it leads."""
    authority = _AUTHORITY.search(url)
    login, at, host = authority[0].rpartition("@") if authority else ("", "", "")
    if authority is None or len(login) <= _LOGIN:
        return url
    return f"{url[: authority.start()]}{login[:_LOGIN]}...{at}{host}{url[authority.end() :]}"

"""Names as they may be repeated: who names himself, or a group, writes what we would otherwise say to others."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from huiqun.privacy.detection import find_personal_data

#: What a member is called whose name cannot be repeated.
NEUTRAL_NAME: Final = "群友"
#: The most graphemes of a name that are shown.
MAX_NAME: Final = 20

_READ = 512  # characters of a name that are looked at
_MARKS = 2  # accents that a letter keeps
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_DROPPED = dict.fromkeys([0x034F, 0x17B4, 0x17B5, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)], "")
# Letters and symbols that show nothing: fillers of Hangul, the empty cell of Braille.
_BLANK = dict.fromkeys([0x115F, 0x1160, 0x2800, 0x3164, 0xFFA0], " ")
# What Unicode's compatibility forms leave as it is: letters drawn in squares, in circles and as flags, and letters of
# other alphabets that look like Latin ones.
_SQUARED = {first + number: chr(97 + number) for first in (0x1F150, 0x1F170, 0x1F1E6) for number in range(26)}
_ALIKE = ("аеорсухкіјѕӏԁԛԝαεικνορτυχ", "aeopcyxkijsldqwaeikvoptux")
_LOOKS = _SQUARED | {ord(letter): like for letter, like in zip(*_ALIKE, strict=True)}
# Emoji and dingbats, but for quotation marks and the signs by which platforms mark who has been verified.
_SYMBOLS = frozenset(map(chr, [*range(0x2600, 0x27C0), *range(0x1F300, 0x1FB00)])) - frozenset("☑✅✓✔❛❜❝❞❟❠")
_JOINERS = "·'_-"  # stay between two letters, and nowhere else

_EVERYBODY = re.compile(r"\W*(?:all|everyone|everybody|here)(?![a-z0-9])")
_EVERYBODY_HAN = re.compile("所有(?:人|成员|成員)|全[体體员員]|每[个個]人|大家(?:好|$)")
_NUMBER = re.compile("[0-9]{5}|[0-9〇零一幺壹二贰两三叁四肆五伍六陆七柒八捌九玖]{7}")
# Read without spaces and signs.
_SOLICITS = re.compile(
    r"[微薇徽威溦vw](?:信|❤|xin)|we(?:i?xin|chat)|(?<![a-z])(?:[vw]x|tg(?![a-z]))|qq|扣扣|企[鹅鵝]|[加➕][微薇徽威vqw]"
    r"|telegram|whatsapp|[电電][报報]群|[二扫掃][维維]?[码碼]|[加进進]群|私聊|手[机機][号號]|[电電][话話]|[联聯][系繫]方式"
    r"|https?|www"
)
_ANNOUNCES = re.compile(
    r"[公通]告|(?:官方|系[统統]|平台|重要|[紧緊]急).{0,2}(?:通知|消息|[声聲]明|提示|提醒)"
    r"|[转轉][账賬帐帳]|[汇匯打]款|[红紅]包|[中领領][奖獎]|返[现現利]|刷[单單]"
)
# Read with them: an id after the letter that stands for WeChat, an address.
_ID = re.compile(r"(?<![a-z0-9])[vw]\s*(?::|[+_ -]\s*(?=[a-z_-]*[0-9]))\s*[a-z][a-z0-9_-]{4}|[+➕]\s*[vq微薇]")
_ADDRESS = re.compile(
    r"://|(?:点|點|dot)(?:com|cn|net|org)|\.(?:com|cn|net|org|top|xyz|vip|cc|me|io|co|中国|公司|网络|网址)(?![a-z])"
    r"|(?<![a-z0-9-])(?!(?:mr|mrs|ms|dr|st|prof)\.)[a-z0-9-]{2,63}\.[a-z]{2,24}(?![a-z])"
)


def clean_name(name: str) -> str:
    """A member's name as others may be told it; empty if there is nothing to tell, or if it is no name.

    It is one line of letters, digits and emoji without @, brackets, quotation marks and addresses, of at most MAX_NAME
    graphemes. A name that advertises, announces, addresses everybody or holds personal data is not repeated at all.
    """
    plain = _plain(name)
    folded, bare = _folded(plain), _bare(plain)
    says_more = _NUMBER.search(bare) or _ANNOUNCES.search(bare) or _EVERYBODY_HAN.search(bare)
    if says_more or _EVERYBODY.match(folded) or _EVERYBODY.match(bare) or _leads_elsewhere(plain):
        return ""
    return _shown(plain)


def clean_group_name(name: str) -> str:
    """A group's name as others may be told it; empty if there is nothing to tell, or if it leads elsewhere.

    That it has a number, or is called after everybody or for announcements, is usual with groups.
    """
    plain = _plain(name)
    return "" if _leads_elsewhere(plain) else _shown(plain)


def _plain(name: str) -> str:
    """The name in compatibility forms, without what cannot be seen."""
    whole = unicodedata.normalize("NFKC", name[:_READ].translate(_DROPPED)).translate(_BLANK)
    spaced = (" " if each.isspace() else each for each in whole)
    return "".join(each for each in spaced if unicodedata.category(each) not in _INVISIBLE)


def _leads_elsewhere(plain: str) -> bool:
    """Whether the name says how to reach somebody outside of the group."""
    folded, bare = _folded(plain), _bare(plain)
    dotted = re.sub(r"\s*[.。·•]\s*", ".", folded)
    found = _SOLICITS.search(bare) or _SOLICITS.search(folded) or _ID.search(folded) or _ADDRESS.search(dotted)
    return bool(found or find_personal_data(plain))


def _folded(plain: str) -> str:
    """The name in lower case without accents, each letter and digit as the one that it looks like."""
    letters = unicodedata.normalize("NFD", plain.casefold()).translate(_LOOKS)
    return "".join(_digit(each) for each in letters if not unicodedata.category(each).startswith("M"))


def _digit(character: str) -> str:
    value = unicodedata.digit(character, None)
    return character if value is None else str(value)


def _bare(plain: str) -> str:
    """The folded name without spaces and signs, but for those that stand for words."""
    return "".join(each for each in _folded(plain) if each.isalnum() or each in "❤➕")


def _shown(plain: str) -> str:
    """The letters, digits and emoji of the name in words, no more of them than are shown."""
    words = "".join(_kept(plain)).split()
    named = " ".join(filter(None, (re.sub(f"([{_JOINERS}])+", r"\1", word).strip(_JOINERS) for word in words)))
    starts = [at for at, each in enumerate(named) if not unicodedata.category(each).startswith("M")]
    return named if len(starts) <= MAX_NAME else f"{named[: starts[MAX_NAME - 1]].rstrip()}…"


def _kept(plain: str) -> Iterator[str]:
    """What may be shown of each character; whatever else stands there separates words."""
    marks = _MARKS
    for each in plain:
        kind = unicodedata.category(each)[0]
        if kind == "M":
            marks += 1
            if marks <= _MARKS:
                yield each
            continue
        marks = 0 if kind == "L" else _MARKS
        yield each if kind in "LN" or each in _SYMBOLS or each in _JOINERS else " "

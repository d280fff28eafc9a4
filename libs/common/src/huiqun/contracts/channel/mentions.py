"""How the text of an action names a member: by a placeholder, for which the channel puts a mention or the name.

`{member:ID}` stands for the member of this id if the action lists the id; else it is sent as it is written. So no name
leaves the channel, and what a member has written cannot make a mention: whoever composes a text says whom it names.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter

from huiqun.contracts.channel.actions import MAX_MEMBERS, Action, ActionKind
from huiqun.contracts.channel.messages import MAX_TEXT
from huiqun.contracts.channel.shown_names import NEUTRAL_NAME, clean_name

_OPENING, _HARMLESS = "{member:", "｛member:"


@dataclass(frozen=True, slots=True)
class Mention:
    """A member who is named in a text."""

    member_id: str

    @property
    def placeholder(self) -> str:
        """What stands in the text."""
        return f"{_OPENING}{self.member_id}}}"


@dataclass(frozen=True, slots=True)
class AddressedText:
    """The text of an action with the members whom its placeholders name, each once."""

    content: str
    members: tuple[str, ...] = ()


#: What a text is put together from; a `str` is taken as somebody's words, and never names anybody.
TextSegment = str | Mention | AddressedText


def compose_text(template: str, /, **fields: TextSegment) -> AddressedText:
    """Fill in a template as `str.format` does; what stands in `fields` may name members, the template may not."""
    parts: list[TextSegment] = []
    for literal, name in _parsed(template):
        parts += [literal] if name is None else [literal, fields[name]]
    return join_texts("", parts)


@lru_cache(maxsize=1_024)
def _parsed(template: str) -> tuple[tuple[str, str | None], ...]:
    return tuple([(literal, name) for literal, name, _, _ in Formatter().parse(template)])


def join_texts(separator: str, parts: Sequence[TextSegment]) -> AddressedText:
    """One text of several, cut where it becomes longer than an action may be."""
    pieces: list[str | Mention] = []
    for number, part in enumerate(parts):
        if separator and number:
            pieces.append(separator)
        if isinstance(part, AddressedText):
            pieces += _pieces(part)
        else:
            pieces.append(part)
    if any([isinstance(piece, Mention) for piece in pieces]):  # noqa: C419 - faster, and there are a handful
        pieces = _harmless(pieces)
    return _written(pieces)


def split_segments(action: Action) -> Iterator[str | Mention]:
    """The text of an action as a channel sends it that has mentions of its own: plain text and members in turn."""
    return _pieces(AddressedText(action.content, action.members))


def render_names(action: Action, names: Mapping[str, str]) -> str:
    """The text of an action where the channel has no mentions: with the names of members, by id, cleaned.

    Whose name cannot be shown is called neutrally. Staff are told the id instead, and with a name the first time: two
    members may have one name, and somebody may have taken theirs.
    """
    shown: list[str] = []
    for_staff = action.kind is ActionKind.NOTIFY_STAFF
    introduced = set[str]()
    for piece in split_segments(action):
        if isinstance(piece, str):
            shown.append(piece)
            continue
        name = clean_name(names.get(piece.member_id, ""))
        if for_staff and piece.member_id not in introduced:
            printed = "".join(filter(str.isprintable, piece.member_id))
            shown.append(f"{name}（{printed}）" if name else printed)
        else:
            shown.append(name or NEUTRAL_NAME)
        if name:
            introduced.add(piece.member_id)
    return "".join(shown)


def _pieces(part: AddressedText) -> Iterator[str | Mention]:
    if not part.members:
        yield part.content
    else:
        placeholders = {Mention(member_id).placeholder: Mention(member_id) for member_id in part.members}
        longest_first = sorted(map(re.escape, placeholders), key=len, reverse=True)
        for piece in re.split(f"({'|'.join(longest_first)})", part.content):
            if piece:
                yield placeholders.get(piece, piece)


def _harmless(pieces: Iterable[str | Mention]) -> list[str | Mention]:
    """The pieces with all words made harmless; those that follow one another together, or two could make a mention."""
    found: list[str | Mention] = []
    words: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            words.append(piece)
        else:
            found += ["".join(words).replace(_OPENING, _HARMLESS), piece]
            words.clear()
    return [*found, "".join(words).replace(_OPENING, _HARMLESS)]


def _written(pieces: Iterable[str | Mention]) -> AddressedText:
    content: list[str] = []
    left = MAX_TEXT
    members: dict[str, None] = {}
    for piece in pieces:
        if isinstance(piece, Mention):
            if len(piece.placeholder) > left or len(members.keys() | {piece.member_id}) > MAX_MEMBERS:
                break
            members[piece.member_id] = None
        written = piece[:left] if isinstance(piece, str) else piece.placeholder
        content.append(written)
        left -= len(written)
    return AddressedText("".join(content), tuple(members))

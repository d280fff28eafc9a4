"""One reading's automaton: the keys of all words in it, and what each of them means."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from daachorse import CharwiseDoubleArrayAhoCorasick as Automaton

from moderation.lexicon.model.batches import Batch, Read
from moderation.lexicon.model.readings import Reading
from moderation.lexicon.model.streams import Stream

NO_WORD: Final = -1
_STREAMS: Final = tuple(Stream)
STREAM_CODES: Final = {stream: code for code, stream in enumerate(_STREAMS)}

# A find: start, end, number of the pattern; offsets into the reading of the batch.
Find = tuple[int, int, int]
# A word of the lexicon by its number, and the stream it was found in.
Meaning = tuple[int, Stream]
# Three columns, in the order of the first: a phrase's pattern, and a word that it excuses at an offset.
Excuses = tuple["array[int]", "array[int]", "array[int]"]
Packed = tuple[bytes, "array[int]", bytes, Mapping[int, tuple[Meaning, ...]], Excuses]


@dataclass(frozen=True, slots=True)
class Layer:
    """The keys of a lexicon in one reading, compiled. Nearly every key is one word, so the rest has tables of its own:
    with an object per key, 60,000 words would take 100 MB."""

    reading: Reading
    automaton: Automaton
    first_words: "array[int]"
    first_streams: bytes
    more: Mapping[int, tuple[Meaning, ...]]
    excuses: Excuses

    def pack(self) -> Packed:
        """What is to be sent to another process, all but the reading."""
        return self.automaton.serialize(), self.first_words, self.first_streams, self.more, self.excuses

    @classmethod
    def unpack(cls, reading: Reading, packed: Packed) -> Self:
        """The layer that was packed; it must come from a process of ours."""
        automaton, words, streams, more, excuses = packed
        return cls(reading, Automaton.deserialize(automaton), words, streams, more, excuses)

    def meanings(self, pattern: int) -> tuple[Meaning, ...]:
        """Return the words that a found pattern is."""
        word = self.first_words[pattern]
        if word == NO_WORD:
            return ()
        first = (word, _STREAMS[self.first_streams[pattern]])
        return (first, *self.more[pattern]) if pattern in self.more else (first,)

    def find(self, batch: Batch) -> tuple[Read, dict[int, list[Find]]]:
        """Return the reading of the batch, and the finds in it by the index of the text."""
        read = batch.once(self.reading.read)
        grouped: dict[int, list[Find]] = {}
        for find in self.automaton.find_overlapping(read.text):
            grouped.setdefault(read.text_at(find[0]), []).append(find)
        return read, grouped

    def excused(self, finds: Sequence[Find]) -> set[tuple[int, int]]:
        """Return (word, start) of what the phrases among the finds excuse."""
        phrases, words, offsets = self.excuses
        excused: set[tuple[int, int]] = set()
        rows: dict[int, range] = {}
        for start, _, pattern in finds:
            if pattern not in rows:
                rows[pattern] = range(bisect_left(phrases, pattern), bisect_right(phrases, pattern))
            for at in rows[pattern]:
                excused.add((words[at], start + offsets[at]))
        return excused

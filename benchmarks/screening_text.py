"""Times normalise + match: 60,000 words against short chat messages, on one core."""

import random
import time

from moderation.lexicon.model.matching import EVERY_POLICY, Lexicon
from moderation.lexicon.model.words import CATEGORIES, Word
from moderation.lexicon.shipped import shipped_background

WORDS = 60_000
MESSAGES = 50_000
BATCH = 200
# One message in twenty has a word of the lexicon in it, the rest pass.
HIT_EVERY = 20


def synthetic_words(chance: random.Random, count: int = WORDS) -> list[Word]:
    """Random Han words of three to six characters, every tenth with an allow-phrase."""
    texts: set[str] = set()
    while len(texts) < count:
        texts.add(_han(chance, chance.choice((3, 3, 4, 4, 5, 6))))
    return [
        Word(
            id=f"synthetic/{text}",
            text=text,
            category=CATEGORIES[index % len(CATEGORIES)],
            severity=index % 5 + 1,
            allow=(_han(chance, 2) + text,) if index % 10 == 0 else (),
        )
        for index, text in enumerate(sorted(texts))
    ]


def synthetic_messages(chance: random.Random, words: list[Word], count: int = MESSAGES) -> list[str]:
    """Messages of about thirty characters with punctuation, digits and emoji."""
    messages = []
    for index in range(count):
        middle = chance.choice(words).text if index % HIT_EVERY == 0 else _han(chance, 4)
        messages.append(f"{_han(chance, 12)}，{middle}{chance.choice('🙂，。 8A')}{_han(chance, 10)}!")
    return messages


def run() -> dict[str, float]:
    """Return seconds to compile and messages a second, on the exact streams alone and on all streams."""
    chance = random.Random(3)
    words = synthetic_words(chance)
    messages = synthetic_messages(chance, words)
    batches = [messages[at : at + BATCH] for at in range(0, len(messages), BATCH)]
    single = [[message] for message in messages[:10_000]]
    background = shipped_background()
    figures: dict[str, float] = {"words": WORDS}
    for name, fuzzy in (("exact", 0), ("all_streams", EVERY_POLICY)):
        started = time.perf_counter()
        lexicon = Lexicon(words, fuzzy=fuzzy, background=background)
        figures[f"{name}_compile_seconds"] = round(time.perf_counter() - started, 3)
        figures[f"{name}_per_second"] = round(len(messages) / min(_timed(lexicon, batches) for _ in range(3)))
        figures[f"{name}_one_by_one_per_second"] = round(len(single) / _timed(lexicon, single))
        found = sum(bool(hits) for batch in batches for hits in lexicon.scan(batch))
        figures[f"{name}_share_with_hit"] = round(found / len(messages), 4)
    return figures


def _timed(lexicon: Lexicon, batches: list[list[str]]) -> float:
    started = time.perf_counter()
    for batch in batches:
        lexicon.scan(batch)
    return time.perf_counter() - started


def _han(chance: random.Random, length: int) -> str:
    return "".join(chr(chance.randrange(0x4E00, 0x4E00 + 3500)) for _ in range(length))


if __name__ == "__main__":
    print(" ".join(f"{name}={value}" for name, value in run().items()))

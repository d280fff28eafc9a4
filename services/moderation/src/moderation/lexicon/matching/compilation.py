"""Compiles the automata of a lexicon: collects the patterns of its words, and leaves out those not worth having."""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, islice
from math import prod
from typing import Final

from daachorse import CharwiseDoubleArrayAhoCorasick as Automaton

from moderation.lexicon.matching.automaton import MATCH_KIND_CODES, NO_WORD, PatternAutomaton, WordMeaning
from moderation.lexicon.matching.folding import strip_text
from moderation.lexicon.matching.match_kinds import MatchKind
from moderation.lexicon.matching.normal_forms import LOOKALIKE, PINYIN, PLAIN, TYPED_PINYIN, NormalForm
from moderation.lexicon.matching.pinyin import spell_pinyin
from moderation.lexicon.matching.text_batch import TextBatch
from moderation.lexicon.matching.words import Word

# How often all pinyin patterns together may hit a benign message by chance, judged by how common their syllables are.
_CHANCE_BUDGET: Final = 0.001
_TYPICAL_LENGTH: Final = 15
# About as many as there are: each is given one occurrence beyond those in the background.
_SYLLABLES: Final = 420

# Typed, shorter ones count only where they stand alone, so that they hit nothing by accident.
_INSIDE_OTHERS: Final = 3

# The patterns of a word, each with how the word is written where it matches.
Spellings = Mapping[str, MatchKind]


def compile_automata(words: Sequence[Word], background: Sequence[str], *, fuzzy: bool) -> list[PatternAutomaton]:
    """Compile an automaton for each normal form, or only the plain one unless `fuzzy`; in the order of `NORMAL_FORMS`.

    Fuzzy patterns that the benign `background` speaks against are left out: those that hit it, and of those that sound
    like anything, all but what is typed in Latin letters.
    """
    texts = [word.text for word in words]
    automata = [_compile_automaton(PLAIN, words, list(PLAIN.list_patterns(texts)))]
    if fuzzy:
        spelt = list(PINYIN.list_patterns(texts))
        accidental = (
            _list_accidental_patterns(spelt, PINYIN.normalize(TextBatch(background)).text)
            if background
            else frozenset()
        )
        sounding = [_select_pinyin(spellings, accidental) for spellings in spelt]
        typed = [
            {pattern: MatchKind.LATIN for pattern in spellings if pattern not in sure}
            for spellings, sure in zip(spelt, sounding, strict=True)
        ]
        automata.append(
            _drop_harmful_patterns(
                _compile_automaton(LOOKALIKE, words, list(LOOKALIKE.list_patterns(texts))), background
            )
        )
        automata.append(_drop_harmful_patterns(_compile_automaton(PINYIN, words, sounding), background))
        # What is harmless in Han characters is so when it is typed, and then its syllables may be cut differently.
        either_way = [*background, *map(spell_pinyin, map(strip_text, background))]
        all_typed = replace(_compile_automaton(TYPED_PINYIN, words, typed), normal_form=PINYIN)
        heard = replace(_drop_harmful_patterns(all_typed, either_way, least=_INSIDE_OTHERS), normal_form=TYPED_PINYIN)
        automata.append(_drop_harmful_patterns(heard, background))
    return automata


def _select_pinyin(spellings: Spellings, accidental: frozenset[str]) -> Spellings:
    """Return the patterns that count also where nothing is typed; one syllable said over and over does not (怕怕怕)."""
    return {
        pattern: match_kind
        for pattern, match_kind in spellings.items()
        if match_kind is MatchKind.PINYIN and pattern not in accidental and len(set(pattern)) > 1
    }


def _compile_automaton(
    normal_form: NormalForm, words: Sequence[Word], spellings: Sequence[Spellings]
) -> PatternAutomaton:
    patterns = _PatternTable(normal_form)
    patterns.add_words(spellings)
    patterns.add_phrases(words, spellings)
    phrases, excused, offsets = zip(*sorted(patterns.excuses), strict=True) if patterns.excuses else ((), (), ())
    columns = array("i", phrases), array("i", excused), array("i", offsets)
    return PatternAutomaton(
        normal_form,
        Automaton(list(patterns.numbers)),
        patterns.first_words,
        bytes(patterns.first_match_kinds),
        patterns.further_meanings,
        columns,
    )


def _drop_harmful_patterns(automaton: PatternAutomaton, background: Sequence[str], least: int = 0) -> PatternAutomaton:
    """Return the automaton without the patterns, `least` characters long or longer, that hit the background where no
    phrase excuses them."""
    words = automaton.first_words[:]
    _, found = automaton.find_matches(TextBatch(background))
    for matches in found.values():
        excused = automaton.list_excused(matches)
        for start, end, number in matches:
            if end - start >= least and any(
                (word, start) not in excused for word, _ in automaton.list_meanings(number)
            ):
                words[number] = NO_WORD
    return replace(automaton, first_words=words)


@dataclass(frozen=True, slots=True)
class _PatternTable:
    """The patterns of an automaton while they are collected: their numbers, and by number the fields of
    `PatternAutomaton`; `excuses` are its rows."""

    normal_form: NormalForm
    numbers: dict[str, int] = field(default_factory=dict)
    first_words: "array[int]" = field(default_factory=lambda: array("i"))
    first_match_kinds: bytearray = field(default_factory=bytearray)
    further_meanings: dict[int, tuple[WordMeaning, ...]] = field(default_factory=dict)
    excuses: list[tuple[int, int, int]] = field(default_factory=list)

    def add_words(self, spellings: Sequence[Spellings]) -> None:
        """Add the patterns of each word."""
        for index, patterns in enumerate(spellings):
            for pattern, match_kind in patterns.items():
                number = self._add_pattern(pattern)
                if self.first_words[number] == NO_WORD:
                    self.first_words[number], self.first_match_kinds[number] = index, MATCH_KIND_CODES[match_kind]
                else:
                    self.further_meanings[number] = (*self.further_meanings.get(number, ()), (index, match_kind))

    def add_phrases(self, words: Sequence[Word], spellings: Sequence[Spellings]) -> None:
        """Add the phrases that excuse words."""
        owners = [index for index, word in enumerate(words) if word.allow and spellings[index]]
        phrases = self.normal_form.list_patterns([phrase for owner in owners for phrase in words[owner].allow])
        for owner in owners:
            for phrase_spellings in islice(phrases, len(words[owner].allow)):
                for phrase in phrase_spellings:
                    for pattern in spellings[owner]:
                        if pattern in phrase:
                            self._excuse(owner, pattern, phrase)

    def _excuse(self, owner: int, pattern: str, phrase: str) -> None:
        # As written, a phrase excuses its own word. By look or sound, words that are one pattern share their phrases.
        sharing = [owner]
        if self.normal_form is not PLAIN:
            shared_number = self.numbers[pattern]
            others = (word for word, _ in self.further_meanings.get(shared_number, ()))
            sharing = sorted({owner, self.first_words[shared_number], *others})
        number = self._add_pattern(phrase)
        at = phrase.find(pattern)
        while at != -1:
            self.excuses.extend([(number, word, at) for word in sharing])
            at = phrase.find(pattern, at + 1)

    def _add_pattern(self, pattern: str) -> int:
        number = self.numbers.setdefault(pattern, len(self.numbers))
        if number == len(self.first_words):
            self.first_words.append(NO_WORD)
            self.first_match_kinds.append(0)
        return number


def _list_accidental_patterns(heard: Sequence[Spellings], background: str) -> frozenset[str]:
    """Return the patterns beyond the budget, when patterns are taken in the order of how unlikely they are."""
    counts = Counter(background)
    total = counts.total() + _SYLLABLES
    share = {char: (count + 1) / total for char, count in counts.items()}
    unseen = 1 / total
    patterns = list(dict.fromkeys(pattern for spellings in heard for pattern in spellings))
    chances = [_TYPICAL_LENGTH * prod([share.get(char, unseen) for char in pattern]) for pattern in patterns]
    order = sorted(range(len(patterns)), key=chances.__getitem__)
    spent = accumulate(chances[at] for at in order)
    return frozenset(patterns[at] for at, so_far in zip(order, spent, strict=True) if so_far > _CHANCE_BUDGET)

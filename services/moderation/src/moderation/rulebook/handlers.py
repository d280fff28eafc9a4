"""Keeps the rulebook of this process fresh: what is activated anywhere is in force here within a second."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from huiqun.runtime.health import Heartbeat
from huiqun.runtime.waiting import wait_for_stop
from huiqun.store import Database, majority_reads
from huiqun.stream.retry import until_it_passes
from moderation.archive.model import Holds
from moderation.archive.store import holds as legal_holds
from moderation.lexicon import store as lexicons
from moderation.lexicon.compiling import compile_apart
from moderation.lexicon.model.matching import EVERY_POLICY, Lexicon
from moderation.lexicon.model.words import Word
from moderation.lexicon.shipped import shipped_background
from moderation.metrics import LEGAL_HOLDS, LEXICON_WORDS, RULEBOOK_REVISION
from moderation.policies import store as policies
from moderation.policies.model import GroupSettings, InForce, Policies, RuleException, with_exceptions
from moderation.rulebook.model import EMPTY, Rulebook

_log = structlog.get_logger(__name__)
_EVERY_SECONDS = 0.5
_NONE_YET = -1
# A first lexicon of so few words is compiled in the time that another process would take to start. Any other would
# hold up the judging in this one, and leave tens of megabytes behind.
_COMPILED_HERE = 10_000
_LET_GO_AT_ONCE = 1_000


class RulebookKeeper:
    """Looks twice a second whether policies, groups, lexicon or holds have changed, and swaps the snapshot if so."""

    name = "rulebook"

    def __init__(self, database: Database) -> None:
        self.heartbeat = Heartbeat()
        # What a primary may yet lose would take its revision along, and another change would come under the same one.
        self._database = majority_reads(database)
        self._current = EMPTY
        self._policies_revision = -1
        self._lexicon_revision = _NONE_YET
        self._holds_revision = -1
        self._groups_seen: policies.Revisions | None = None
        self._let_go_of: list[Word] = []
        # As they are stored; the snapshot has them worked out.
        self._written: InForce = {}
        self._exceptions: Mapping[str, tuple[RuleException, ...]] = {}
        self._groups: dict[str, GroupSettings] = {}

    def current(self) -> Rulebook:
        """The rulebook in force."""
        return self._current

    async def run(self, stop: asyncio.Event) -> None:
        """Refresh until `stop` is set."""
        while not await wait_for_stop(stop, _EVERY_SECONDS):
            await until_it_passes(self.refresh, name=self.name, on_wait=self.heartbeat.failing)
            self.heartbeat.well()

    async def refresh(self) -> None:
        """Read what has changed and take it into use; the first call reads everything."""
        await self._let_go()
        await self._refresh_policies()
        await self._refresh_holds()
        await self._refresh_lexicon()

    async def _refresh_policies(self) -> None:
        revision = await policies.revision(self._database)
        changed, self._groups_seen = await policies.groups_since(self._database, self._groups_seen)
        fresh = {group_id: group for group_id, group in changed.items() if self._groups.get(group_id) != group}
        if revision == self._policies_revision and not fresh:
            return
        if revision != self._policies_revision:
            self._written = await policies.in_force(self._database)
            self._exceptions = await policies.exceptions.in_force(self._database, datetime.now(UTC))
        self._groups |= fresh
        settings = with_exceptions(self._groups, self._exceptions)
        self._swap(policies=Policies.compose(self._written, settings, self._current.policies))
        self._policies_revision = revision
        RULEBOOK_REVISION.set(revision)

    async def _refresh_lexicon(self) -> None:
        revision, version = await lexicons.revision(self._database)
        if revision == self._lexicon_revision:
            return
        words = await lexicons.words(self._database)
        while (now := await lexicons.revision(self._database)) != (revision, version):
            # Replaced while they were read: they may be half old and half new.
            (revision, version), words = now, await lexicons.words(self._database)
        here = self._lexicon_revision == _NONE_YET and len(words) <= _COMPILED_HERE
        lexicon, bits = await asyncio.to_thread(_compile if here else _compile_apart, words)
        self._let_go_of = list(self._current.lexicon.words)
        self._swap(lexicon=lexicon, version=version, bits=bits)
        self._lexicon_revision = revision
        LEXICON_WORDS.set(len(words))
        _log.info("lexicon_in_force", words=len(words), version=version)

    async def _let_go(self) -> None:
        """Free the words of the lexicon before, of which no batch is left: in small steps, so that nobody waits."""
        while self._let_go_of:
            del self._let_go_of[-_LET_GO_AT_ONCE:]
            await asyncio.sleep(0)

    async def _refresh_holds(self) -> None:
        revision = await legal_holds.revision(self._database)
        if revision == self._holds_revision:
            return
        found = await legal_holds.open_holds(self._database)
        self._current = replace(self._current, holds=Holds(found))
        self._holds_revision = revision
        LEGAL_HOLDS.set(len(found))

    def _swap(
        self,
        *,
        policies: Policies | None = None,
        lexicon: Lexicon | None = None,
        version: str | None = None,
        bits: dict[str, int] | None = None,
    ) -> None:
        now = self._current
        self._current = Rulebook(
            policies or now.policies,
            lexicon or now.lexicon,
            now.lexicon_version if version is None else version,
            now.bits if bits is None else bits,
            now.holds,
        )


def _compile(words: list[Word]) -> tuple[Lexicon, dict[str, int]]:
    bits, masks = _masks(words)
    return Lexicon(words, masks, fuzzy=EVERY_POLICY, background=shipped_background()), bits


def _compile_apart(words: list[Word]) -> tuple[Lexicon, dict[str, int]]:
    bits, masks = _masks(words)
    layers = compile_apart(words, shipped_background())
    return Lexicon(words, masks, fuzzy=EVERY_POLICY, layers=layers), bits


def _masks(words: list[Word]) -> tuple[dict[str, int], list[int]]:
    """A bit for each category, and for each word the bit of its own."""
    bits = {category: 1 << number for number, category in enumerate(sorted({word.category for word in words}))}
    return bits, [bits[word.category] for word in words]

"""Keeps the rulebook of this process fresh: what is activated anywhere is in force here within a second."""

import asyncio
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from huiqun.runtime.health import CombinedHeartbeat, Heartbeat
from huiqun.runtime.waiting import wait_for_stop
from huiqun.store import Database, OutsideTransaction, majority_reads
from huiqun.telemetry import describe_error
from huiqun.work.retry import retry_forever
from moderation.archive.model import Holds
from moderation.archive.store import holds as legal_holds
from moderation.lexicon import store as lexicons
from moderation.lexicon.compiling import CompilerEndedError, compile_apart
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
# 200,000 words take some ten seconds on a machine that has nothing else to do.
_COMPILE_SECONDS = 900.0
_LONGEST_WAIT_SECONDS = 300.0


@dataclass(slots=True)
class Uncompiled:
    """A revision of the lexicon that did not compile: it may be the words, so it is tried after longer and longer."""

    revision: int = _NONE_YET
    seconds: float = 0.0
    again_at: float = 0.0

    def may_be_tried(self, revision: int) -> bool:
        """Whether it is another one, or has waited long enough."""
        return revision != self.revision or time.monotonic() >= self.again_at

    def note(self, revision: int) -> None:
        """Have a revision that did not compile wait."""
        self.seconds = min(self.seconds * 2, _LONGEST_WAIT_SECONDS) if revision == self.revision else 1.0
        self.revision, self.again_at = revision, time.monotonic() + self.seconds


class RulebookKeeper:
    """Looks twice a second whether policies, groups, lexicon or holds have changed, and swaps the snapshot if so."""

    name = "rulebook"

    def __init__(self, database: Database) -> None:
        self.heartbeat = CombinedHeartbeat()
        self._rules_heartbeat, self._lexicon_heartbeat = Heartbeat(), Heartbeat()
        self.heartbeat.include(self._rules_heartbeat)
        self.heartbeat.include(self._lexicon_heartbeat)
        # What a primary may yet lose would take its revision along, and another change would come under the same one.
        self._reader = OutsideTransaction(majority_reads(database))
        self._current = EMPTY
        self._policies_revision = -1
        self._lexicon_revision = _NONE_YET
        self._holds_revision = -1
        self._groups_seen: policies.Revisions | None = None
        self._let_go_of: list[Word] = []
        self._uncompiled = Uncompiled()
        # As they are stored; the snapshot has them worked out.
        self._written: InForce = {}
        self._exceptions: Mapping[str, tuple[RuleException, ...]] = {}
        self._groups: dict[str, GroupSettings] = {}

    def current(self) -> Rulebook:
        """The rulebook in force."""
        return self._current

    async def run(self, stop: asyncio.Event) -> None:
        """Refresh until `stop` is set: the rules twice a second, also while a lexicon is compiled."""
        loops = [
            asyncio.create_task(self._keep_fresh(stop, self._refresh_rules, self._rules_heartbeat)),
            asyncio.create_task(self._keep_fresh(stop, self._refresh_words, self._lexicon_heartbeat)),
        ]
        try:
            await asyncio.gather(*loops)
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)

    async def _keep_fresh(
        self, stop: asyncio.Event, refresh: Callable[[], Awaitable[None]], heartbeat: Heartbeat
    ) -> None:
        while not await wait_for_stop(stop, _EVERY_SECONDS):
            await retry_forever(refresh, name=self.name, on_retry=heartbeat.mark_failing)
            heartbeat.mark_healthy()

    async def refresh(self) -> None:
        """Read what has changed and take it into use; the first call reads everything."""
        await self._refresh_rules()
        await self._refresh_words()

    async def _refresh_rules(self) -> None:
        await self._refresh_policies()
        await self._refresh_holds()

    async def _refresh_words(self) -> None:
        await self._let_go()
        await self._refresh_lexicon()

    async def _refresh_policies(self) -> None:
        revision = await policies.revision(self._reader)
        changed, self._groups_seen = await policies.groups_since(self._reader, self._groups_seen)
        fresh = {group_id: group for group_id, group in changed.items() if self._groups.get(group_id) != group}
        if revision == self._policies_revision and not fresh:
            return
        if revision != self._policies_revision:
            self._written = await policies.in_force(self._reader)
            self._exceptions = await policies.exceptions.in_force(self._reader, datetime.now(UTC))
        self._groups |= fresh
        settings = with_exceptions(self._groups, self._exceptions)
        self._swap(policies=Policies.compose(self._written, settings, self._current.policies))
        self._policies_revision = revision
        RULEBOOK_REVISION.set(revision)

    async def _refresh_lexicon(self) -> None:
        revision, version = await lexicons.revision(self._reader)
        if revision == self._lexicon_revision or not self._uncompiled.may_be_tried(revision):
            return
        words = await lexicons.words(self._reader)
        while (now := await lexicons.revision(self._reader)) != (revision, version):
            # Replaced while they were read: they may be half old and half new.
            (revision, version), words = now, await lexicons.words(self._reader)
        here = self._lexicon_revision == _NONE_YET and len(words) <= _COMPILED_HERE
        try:
            lexicon, bits = await (asyncio.to_thread(_compile, words) if here else self._compile_apart(words))
        except (CompilerEndedError, TimeoutError) as error:
            if self._lexicon_revision == _NONE_YET:
                raise  # nothing is judged without a lexicon
            self._uncompiled.note(revision)
            self._lexicon_heartbeat.mark_unready("lexicon", "the lexicon does not compile; the one before is in force")
            _log.error("lexicon_not_compiled", version=version, error=describe_error(error))
            return
        self._lexicon_heartbeat.clear_unready("lexicon")
        self._let_go_of = list(self._current.lexicon.words)
        self._swap(lexicon=lexicon, version=version, bits=bits)
        self._lexicon_revision = revision
        LEXICON_WORDS.set(len(words))
        _log.info("lexicon_in_force", words=len(words), version=version)

    async def _compile_apart(self, words: list[Word]) -> tuple[Lexicon, dict[str, int]]:
        """Compile elsewhere; the loop is alive while that lasts, and it does not outlast the loop."""
        started: list[subprocess.Popen[bytes]] = []
        given_up = False

        def on_start(process: "subprocess.Popen[bytes]") -> None:
            started.append(process)
            if given_up:
                process.kill()

        compiling = asyncio.create_task(asyncio.to_thread(_compile_apart, words, on_start))
        try:
            async with asyncio.timeout(_COMPILE_SECONDS):
                while not compiling.done():
                    self._lexicon_heartbeat.beat()
                    await asyncio.wait({compiling}, timeout=_EVERY_SECONDS)
            return await compiling
        finally:
            given_up = True
            for process in started:
                process.kill()

    async def _let_go(self) -> None:
        """Free the words of the lexicon before, of which no batch is left: in small steps, so that nobody waits."""
        while self._let_go_of:
            del self._let_go_of[-_LET_GO_AT_ONCE:]
            await asyncio.sleep(0)

    async def _refresh_holds(self) -> None:
        revision = await legal_holds.revision(self._reader)
        if revision == self._holds_revision:
            return
        found = await legal_holds.open_holds(self._reader)
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


def _compile_apart(
    words: list[Word], on_start: Callable[["subprocess.Popen[bytes]"], None]
) -> tuple[Lexicon, dict[str, int]]:
    bits, masks = _masks(words)
    layers = compile_apart(words, shipped_background(), on_start)
    return Lexicon(words, masks, fuzzy=EVERY_POLICY, layers=layers), bits


def _masks(words: list[Word]) -> tuple[dict[str, int], list[int]]:
    """A bit for each category, and for each word the bit of its own."""
    bits = {category: 1 << number for number, category in enumerate(sorted({word.category for word in words}))}
    return bits, [bits[word.category] for word in words]

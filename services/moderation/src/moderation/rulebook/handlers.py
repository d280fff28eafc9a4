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
from moderation.groups.handlers import list_changed_groups
from moderation.groups.model import GroupRevisions, GroupSettings, RuleException
from moderation.lexicon.handlers import get_lexicon_revision, list_lexicon_words, shipped_background
from moderation.lexicon.matching.compiler_process import CompilerEndedError, compile_in_subprocess
from moderation.lexicon.matching.matcher import EVERY_POLICY, Lexicon
from moderation.lexicon.matching.words import Word
from moderation.metrics import LEGAL_HOLDS, LEXICON_WORDS, RULEBOOK_REVISION
from moderation.policies.handlers import get_policies_revision, list_active_versions
from moderation.policies.model import ActiveVersions
from moderation.retention.handlers import get_hold_revision, list_open_holds
from moderation.retention.model import OpenHolds
from moderation.rule_exceptions.handlers import list_exceptions_in_force
from moderation.rulebook.model import EMPTY_RULEBOOK, PolicySnapshot, Rulebook, add_exceptions

_log = structlog.get_logger(__name__)
_EVERY_SECONDS = 0.5
_NONE_YET = -1
# A first lexicon of so few words is compiled in the time that another process would take to start. Any other would
# hold up the judging in this one, and leave tens of megabytes behind.
_COMPILED_HERE = 10_000
_FREED_AT_ONCE = 1_000
# 200,000 words take some ten seconds on a machine that has nothing else to do.
_COMPILE_SECONDS = 900.0
_LONGEST_WAIT_SECONDS = 300.0


@dataclass(slots=True)
class CompileBackoff:
    """How long a revision of the lexicon that did not compile waits: it may be the words, so longer and longer."""

    revision: int = _NONE_YET
    seconds: float = 0.0
    retry_at: float = 0.0

    def allows_compiling(self, revision: int) -> bool:
        """Whether it is another one, or has waited long enough."""
        return revision != self.revision or time.monotonic() >= self.retry_at

    def note_failure(self, revision: int) -> None:
        """Have a revision that did not compile wait."""
        self.seconds = min(self.seconds * 2, _LONGEST_WAIT_SECONDS) if revision == self.revision else 1.0
        self.revision, self.retry_at = revision, time.monotonic() + self.seconds


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
        self._current = EMPTY_RULEBOOK
        self._policies_revision = -1
        self._lexicon_revision = _NONE_YET
        self._holds_revision = -1
        self._groups_seen: GroupRevisions | None = None
        self._words_to_free: list[Word] = []
        self._backoff = CompileBackoff()
        # As they are stored; the snapshot has them worked out.
        self._versions: ActiveVersions = {}
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
        await self._free_words()
        await self._refresh_lexicon()

    async def _refresh_policies(self) -> None:
        revision = await get_policies_revision(self._reader)
        changed, self._groups_seen = await list_changed_groups(self._reader, self._groups_seen)
        fresh = {group_id: group for group_id, group in changed.items() if self._groups.get(group_id) != group}
        if revision == self._policies_revision and not fresh:
            return
        if revision != self._policies_revision:
            self._versions = await list_active_versions(self._reader)
            self._exceptions = await list_exceptions_in_force(self._reader, datetime.now(UTC))
        self._groups |= fresh
        settings = add_exceptions(self._groups, self._exceptions)
        self._replace_parts(policies=PolicySnapshot.compose(self._versions, settings, self._current.policies))
        self._policies_revision = revision
        RULEBOOK_REVISION.set(revision)

    async def _refresh_lexicon(self) -> None:
        revision = (await get_lexicon_revision(self._reader)).number
        if revision == self._lexicon_revision or not self._backoff.allows_compiling(revision):
            return
        (revision, version), words = await list_lexicon_words(self._reader)
        here = self._lexicon_revision == _NONE_YET and len(words) <= _COMPILED_HERE
        try:
            lexicon, bits = await (asyncio.to_thread(_compile, words) if here else self._compile_apart(words))
        except (CompilerEndedError, TimeoutError) as error:
            if self._lexicon_revision == _NONE_YET:
                raise  # nothing is judged without a lexicon
            self._backoff.note_failure(revision)
            self._lexicon_heartbeat.mark_unready("lexicon", "the lexicon does not compile; the one before is in force")
            _log.error("lexicon_not_compiled", version=version, error=describe_error(error))
            return
        self._lexicon_heartbeat.clear_unready("lexicon")
        self._words_to_free = list(self._current.lexicon.words)
        self._replace_parts(lexicon=lexicon, version=version, bits=bits)
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

    async def _free_words(self) -> None:
        """Free the words of the lexicon before, of which no batch is left: in small steps, so that nobody waits."""
        while self._words_to_free:
            del self._words_to_free[-_FREED_AT_ONCE:]
            await asyncio.sleep(0)

    async def _refresh_holds(self) -> None:
        revision = await get_hold_revision(self._reader)
        if revision == self._holds_revision:
            return
        found = await list_open_holds(self._reader)
        self._current = replace(self._current, holds=OpenHolds(found))
        self._holds_revision = revision
        LEGAL_HOLDS.set(len(found))

    def _replace_parts(
        self,
        *,
        policies: PolicySnapshot | None = None,
        lexicon: Lexicon | None = None,
        version: str | None = None,
        bits: dict[str, int] | None = None,
    ) -> None:
        current = self._current
        self._current = Rulebook(
            policies or current.policies,
            lexicon or current.lexicon,
            current.lexicon_version if version is None else version,
            current.bits if bits is None else bits,
            current.holds,
        )


def _compile(words: list[Word]) -> tuple[Lexicon, dict[str, int]]:
    bits, masks = _masks(words)
    return Lexicon(words, masks, fuzzy=EVERY_POLICY, background=shipped_background()), bits


def _compile_apart(
    words: list[Word], on_start: Callable[["subprocess.Popen[bytes]"], None]
) -> tuple[Lexicon, dict[str, int]]:
    bits, masks = _masks(words)
    automata = compile_in_subprocess(words, shipped_background(), on_start)
    return Lexicon(words, masks, fuzzy=EVERY_POLICY, automata=automata), bits


def _masks(words: list[Word]) -> tuple[dict[str, int], list[int]]:
    """A bit for each category, and for each word the bit of its own."""
    bits = {category: 1 << number for number, category in enumerate(sorted({word.category for word in words}))}
    return bits, [bits[word.category] for word in words]

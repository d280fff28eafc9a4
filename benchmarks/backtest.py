"""How fast a version of a policy is tried over the archive."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from benchmarks.contenders import tune_collector
from benchmarks.figures import Figure, Result, at_least
from benchmarks.messages import messages
from benchmarks.rulebooks import WORDS, lexicon_of, rulebook_of
from benchmarks.screening import TODAY
from benchmarks.workspace import BenchmarkWorkspace, open_workspace
from huiqun.contracts.channel import MessageReceived
from huiqun.runtime.clock import SystemClock
from huiqun.store import OutsideTransaction, ensure_indexes
from huiqun.tasks.store import TASK_INDEXES
from huiqun.work import WORK_INDEXES, Transactor
from local.stack import Stack
from moderation.archive.handlers import archive_messages
from moderation.backtest.handlers import run_backtest
from moderation.backtest.model import RequestBacktestCommand
from moderation.documents import INDEXES
from moderation.evidence.model import gather_evidence
from moderation.policies.handlers import write_policy_version
from moderation.policies.model import DEFAULT_POLICY
from moderation.policies.sections.rules import Rules
from moderation.retention.model import NO_HOLDS, EntryBuilder
from moderation.rulebook.model import Rulebook
from moderation.standings.model import Standing, standing_key
from moderation.verdicts.model import judge_message

MEASUREMENT = "Backtest"
METHOD = (
    "a draft with a quota and a cap of length, tried over {count:,} archived messages of 300 groups with {words:,} "
    "words, read from MongoDB and judged in one process; by the clock, {others:.0f} % of which it was waiting, or "
    "others had the processor."
)
_DRAFT = Rules.model_validate({"quota": {"per_day": 12}, "length": {"max_characters": 40}, "contacts": None})
_BATCH = 500


async def measure(stack: Stack, count: int, say: Callable[[str], None]) -> Result:
    """Archive `count` messages as they were judged under the built-in rules, and try a draft over them."""
    tune_collector()
    book = rulebook_of(lexicon_of(WORDS))
    events = messages(count)
    async with open_workspace(stack) as laid:
        await _archive(laid, book, events)
        say(f"{count:,} messages archived")
        first, last = events[0].data.sent_at, events[-1].data.sent_at
        command = RequestBacktestCommand(DEFAULT_POLICY, 1, first, last + timedelta(seconds=1))
        processor, clock = time.process_time(), time.perf_counter()

        async def go_on(_: int, __: int) -> None:
            """Let it go on."""

        report = await run_backtest(OutsideTransaction(laid.database), book, command, go_on)
        used, seconds = time.process_time() - processor, time.perf_counter() - clock
    figures = [
        Figure("messages judged again", report["messages_per_second"], "messages/s", at_least(20_000)),
        Figure("... per second of processor time", report["messages"] / used, "messages/s"),
        Figure("messages with another verdict", report["changed"], ""),
    ]
    method = METHOD.format(count=count, words=WORDS, others=100 * max(1 - used / seconds, 0))
    return Result(MEASUREMENT, figures, method, {"rules": len(report["rules"]), "verdicts": report["verdicts"]})


async def _archive(laid: BenchmarkWorkspace, book: Rulebook, events: Sequence[MessageReceived]) -> None:
    await ensure_indexes(laid.database, {**WORK_INDEXES, **TASK_INDEXES, **INDEXES})
    transactor = Transactor(laid.client, laid.database, laid.publisher, SystemClock())
    await transactor.commit(lambda work: write_policy_version(work, DEFAULT_POLICY, _DRAFT, "", "bench"))
    standings: dict[str, Standing] = {}
    for start in range(0, len(events), _BATCH):
        data = [event.data for event in events[start : start + _BATCH]]
        settings = [book.policies.settings_of(message.group_id) for message in data]
        policies = [book.policies.policy_of(each) for each in settings]
        found = gather_evidence(data, [book.mask_of(policy) for policy in policies], book.lexicon, TODAY)
        builder = EntryBuilder(SystemClock().now(), NO_HOLDS, b"bench")
        entries = []
        for message, group, policy, evidence in zip(data, settings, policies, found, strict=True):
            pair = message.group_id, message.sender.member_id
            standing = standings.setdefault(standing_key(*pair), Standing(*pair))
            screened = judge_message(message, policy, group, standing, evidence).screened("bench")
            entries.append(builder.build_entry(screened, message, evidence.personal, policy.rules.retention.days))
        await transactor.commit(partial(archive_messages, entries=entries))

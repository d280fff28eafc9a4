"""The rulebook of a process: read, refreshed and swapped as one."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from huiqun.contracts.channel import Group
from huiqun.store import OutsideTransaction
from huiqun.testing.waiting import eventually, running_component
from huiqun.versions.model import ActivateVersionCommand
from huiqun.work import Work
from moderation.lexicon import handlers as lexicons
from moderation.lexicon import store as lexicon_store
from moderation.lexicon.handlers import WordFile
from moderation.lexicon.model.words import Word, word_id
from moderation.policies import handlers as policies
from moderation.policies.model import Rules
from moderation.rulebook.handlers import RulebookKeeper
from tests.directories import save_groups
from tests.moderation.rig import ModerationRig


def whatever(_: int) -> None:
    """Accept any revision."""


async def put_list(rig: ModerationRig, name: str, *texts: str, category: str = "ads") -> None:
    words = tuple(Word(word_id(name, text), text, category, list_name=name) for text in texts)
    file = WordFile(name, words, lexicons.checksum_of(repr(words)))
    rig.clock.moment += timedelta(milliseconds=1)  # a version is called after its time
    await rig.run(lambda work: lexicons.import_list(work, file, "tester"))


async def put_policy(rig: ModerationRig, policy_id: str, **rules: object) -> None:
    async def use_case(work: Work) -> None:
        version = await policies.write_version(work, policy_id, Rules.model_validate(rules), "", "tester")
        await policies.activate_version(work, policy_id, ActivateVersionCommand(version.number, "approver"), whatever)

    await rig.run(use_case)


async def test_at_first_it_is_empty_and_then_what_the_store_holds(rig: ModerationRig) -> None:
    await put_policy(rig, "strict", quota={"per_day": 1})
    await rig.run(lambda work: policies.assign_policy(work, "g1", "strict", whatever, "tester"))
    await put_list(rig, "bank", "刷单", "稳赚")
    keeper = RulebookKeeper(rig.database)
    empty = keeper.current()
    assert (empty.lexicon_version, empty.lexicon.words) == ("none", ())
    await keeper.refresh()
    book = keeper.current()
    assert {word.text for word in book.lexicon.words} == {"刷单", "稳赚"}
    assert book.policies.policy_of(book.policies.settings_of("g1")).label == "strict@1"
    assert book.policies.policy_of(book.policies.settings_of("g2")).label == "default@0"


async def test_what_does_not_change_keeps_the_rulebook(rig: ModerationRig) -> None:
    await put_list(rig, "bank", "刷单")
    keeper = RulebookKeeper(rig.database)
    await keeper.refresh()
    before = keeper.current()
    await keeper.refresh()
    assert keeper.current() is before


async def test_a_batch_that_began_with_a_rulebook_ends_with_it(rig: ModerationRig) -> None:
    await put_list(rig, "bank", "刷单")
    keeper = RulebookKeeper(rig.database)
    await keeper.refresh()
    begun = keeper.current()
    await put_list(rig, "bank", "稳赚", category="fraud")
    await put_policy(rig, "default", quota={"per_day": 1})
    await keeper.refresh()
    assert [word.text for word in begun.lexicon.words] == ["刷单"]
    assert dict(begun.bits) == {"ads": 1}
    assert begun.policies.active == {}
    assert dict(keeper.current().bits) == {"fraud": 1}


async def test_words_their_bits_and_their_version_change_together(rig: ModerationRig) -> None:
    keeper = RulebookKeeper(rig.database)
    await put_list(rig, "bank", "词甲一")
    await keeper.refresh()
    seen: dict[str, set[str]] = {}
    done = asyncio.Event()

    async def watch() -> None:
        while not done.is_set():
            book = keeper.current()
            categories = {word.category for word in book.lexicon.words}
            assert categories == set(book.bits)
            seen.setdefault(book.lexicon_version, categories)
            assert seen[book.lexicon_version] == categories
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    for category in "abcdef":
        await put_list(rig, "bank", f"词甲{category}一", category=category)
        await keeper.refresh()
    done.set()
    await watching
    assert len(seen) >= 2


async def test_a_running_keeper_takes_up_what_others_write(rig: ModerationRig) -> None:
    keeper, directory = RulebookKeeper(rig.database), rig.directory
    await keeper.refresh()
    async with running_component(keeper):
        await put_list(rig, "bank", "刷单")
        await put_policy(rig, "default", quota={"per_day": 2})
        group = Group(group_id="g1", timezone="Europe/Berlin", owner="staff-1")
        await rig.run(lambda work: save_groups(work, directory, [group]))
        await eventually(lambda: len(keeper.current().lexicon.words) == 1)
        await eventually(lambda: "default" in keeper.current().policies.active)
        await eventually(lambda: keeper.current().policies.settings_of("g1").timezone.key == "Europe/Berlin")
    assert keeper.heartbeat.failure is None


async def test_a_lexicon_that_does_not_compile_leaves_the_one_before_in_force_and_the_rules_fresh(
    rig: ModerationRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = RulebookKeeper(rig.database)
    await put_list(rig, "bank", "刷单")
    await keeper.refresh()
    runs = tmp_path / "runs"
    broken = tmp_path / "broken"
    broken.write_text(f"#!/bin/sh\necho run >> {runs}\nexit 1\n")
    broken.chmod(0o755)
    good = sys.executable
    monkeypatch.setattr(sys, "executable", str(broken))
    async with running_component(keeper):
        await put_list(rig, "bank", "返利")
        await eventually(lambda: keeper.heartbeat.unready_reason is not None)
        await put_policy(rig, "default", quota={"per_day": 2})
        await eventually(lambda: "default" in keeper.current().policies.active)
        assert [word.text for word in keeper.current().lexicon.words] == ["刷单"]
        monkeypatch.setattr(sys, "executable", good)
        await eventually(lambda: [word.text for word in keeper.current().lexicon.words] == ["返利"])
        assert keeper.heartbeat.unready_reason is None
    assert len(runs.read_text().split()) <= 10


async def test_a_keeper_that_is_stopped_does_not_wait_for_its_compiler(
    rig: ModerationRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = RulebookKeeper(rig.database)
    await put_list(rig, "bank", "刷单")
    await keeper.refresh()
    endless = tmp_path / "endless"
    endless.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 3600\n")
    endless.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(endless))
    await put_list(rig, "bank", "返利")
    task = asyncio.create_task(keeper.run(asyncio.Event()))
    await eventually((tmp_path / "pid").exists)
    task.cancel()
    await asyncio.wait({task}, timeout=30)
    assert task.cancelled()
    compiler = int((tmp_path / "pid").read_text() or 0)
    await eventually(lambda: not Path(f"/proc/{compiler}").exists())


async def test_a_policy_s_mask_has_the_bits_of_its_categories_and_no_others(rig: ModerationRig) -> None:
    await put_list(rig, "a", "词甲一", category="ads")
    await put_list(rig, "b", "词甲二", category="fraud")
    await put_list(rig, "c", "词甲三", category="闲聊")
    await put_policy(rig, "mild", lexicon={"categories": {"fraud": None, "nothing": "warn"}}, staff=None)
    keeper = RulebookKeeper(rig.database)
    await keeper.refresh()
    book = keeper.current()
    mask = book.mask_of(book.policies.active["mild"])
    assert mask == book.bits["ads"]
    assert [len(hits) for hits in book.lexicon.scan(["词甲一", "词甲二", "词甲三"], [mask] * 3)] == [1, 0, 0]


async def test_replicas_that_start_at_once_import_what_comes_with_the_service_once(rig: ModerationRig) -> None:
    imports = (lexicons.import_shipped(rig.reader, rig.transactor) for _ in range(4))
    await asyncio.gather(*imports)
    lists = {entry.name: entry.words for entry in await lexicon_store.lists(OutsideTransaction(rig.database))}
    assert set(lists) == {"huiqun", "huiqun-staff"}
    assert len(await lexicon_store.words(OutsideTransaction(rig.database))) == sum(lists.values())
    entries = await rig.database["audit_log"].find().to_list(None)
    assert sorted(entry["subject"] for entry in entries) == ["lexicon/huiqun", "lexicon/huiqun-staff"]
    await lexicons.import_shipped(rig.reader, rig.transactor)
    assert await rig.database["audit_log"].count_documents({}) == 2

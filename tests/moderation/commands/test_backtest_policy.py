"""`huiqun moderation backtest-policy`, as an operator runs it."""

from datetime import timedelta

from huiqun.testing.events import NOON
from tests.moderation.archive.chat import group_id, judge, said
from tests.moderation.interface import Interface
from tests.moderation.policies.drafts import written
from tests.shell import Shell


async def test_the_command_shows_what_comes_out_differently(interface: Interface) -> None:
    group = group_id()
    await judge(interface, said(group, "短", "一句相当长的话在这里", "一起刷单"))
    name = await written(interface, {"rules": {"length": {"max_characters": 5}}, "note": "shorter"})
    period = ("--from", NOON.isoformat(), "--to", (NOON + timedelta(days=1)).isoformat())
    shell = Shell(interface.environment)
    shown = await shell.run_successfully("moderation", "backtest-policy", name, "1", *period, "--group", group)
    assert f"{name}@1 over 3 messages" in shown
    assert "1 from allow to warn" in shown
    assert "added: length length: 一句相当长的话在这里" in shown


async def test_a_moment_that_is_none_is_refused() -> None:
    result = await Shell({}).run_command("moderation", "backtest-policy", "default", "1", "--from", "yesterday")
    said_so = "yesterday is no date: write 2026-11-01, or 2026-11-01T08:00:00+08:00."
    assert (result.exit_code, said_so in " ".join(result.output.split())) == (2, True), result.output

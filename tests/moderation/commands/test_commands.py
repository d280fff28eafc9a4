"""`huiqun` shows what moderation adds to it."""

from tests.shell import Shell


async def test_the_commands_of_moderation_stand_beside_those_of_the_library() -> None:
    assert "huiqun moderation --help" in await Shell({}).run_successfully("--help")
    shown = await Shell({}).run_successfully("moderation", "--help")
    assert all(name in shown for name in ("backtest-policy", "export-messages", "import-words"))
    assert (await Shell({}).run_command("moderation", "nothing")).exit_code == 2

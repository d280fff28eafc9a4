"""`huiqun schemas`: what is generated, and how what is stale is found."""

from pathlib import Path

import yaml

from tests.shell import Shell

SHELL = Shell({})


async def test_what_was_exported_is_up_to_date_until_somebody_changes_it(tmp_path: Path) -> None:
    directory = ("--directory", str(tmp_path))
    assert (await SHELL.run_command("schemas", "check", *directory)).exit_code == 1
    await SHELL.run_successfully("schemas", "export", *directory)
    await SHELL.run_successfully("schemas", "check", *directory)

    changed, gone, extra = (
        tmp_path / "schemas" / f"{name}.json"
        for name in ("channel.message.received", "channel.member.left", "channel.message.whispered")
    )
    changed.write_text(changed.read_text(encoding="utf-8") + " ", encoding="utf-8")
    gone.unlink()
    extra.write_text("{}", encoding="utf-8")
    result = await SHELL.run_command("schemas", "check", *directory)
    assert result.exit_code == 1
    named = "".join(result.stderr.split())
    for path in (changed, gone, extra):
        assert path.name in named
    assert "asyncapi.yaml" not in named

    await SHELL.run_successfully("schemas", "export", *directory)
    await SHELL.run_successfully("schemas", "check", *directory)
    assert not extra.exists()


async def test_the_asyncapi_document_is_plain_yaml(tmp_path: Path) -> None:
    await SHELL.run_successfully("schemas", "export", "--directory", str(tmp_path))
    document = yaml.safe_load((tmp_path / "asyncapi.yaml").read_text(encoding="utf-8"))
    assert document["asyncapi"] == "3.0.0"

"""`huiqun schemas`: the JSON Schemas and the AsyncAPI document, generated from the contracts."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

import typer
import yaml

from huiqun.cli.terminal import EXIT_FAILED, exit_with_error, output
from huiqun.contracts.asyncapi import asyncapi_document
from huiqun.contracts.schemas import event_schemas

app = typer.Typer(help="JSON Schemas of the events, and an AsyncAPI 3 document of the topics.", no_args_is_help=True)

Directory = Annotated[Path, typer.Option(file_okay=False, help="Where asyncapi.yaml and schemas/ stand.")]
_GENERATED = "# Generated from huiqun.contracts by `huiqun schemas export`: edit those.\n"
# libyaml's, where PyYAML was built with it, writes the same bytes in a quarter of the time.
_DUMPER: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@app.command()
def export(directory: Directory = Path("docs")) -> None:
    """Write them, and remove the schemas of events that are no more."""
    stale, wanted = _stale(directory), _generated()
    for name in stale:
        path = directory / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
        else:
            path.unlink()
    output.print(f"{len(stale)} of {len(wanted)} files were stale.", highlight=False)


@app.command()
def check(directory: Directory = Path("docs")) -> None:
    """Compare them with the contracts; exit 1 with the names of the files that are stale."""
    if stale := _stale(directory):
        names = "\n".join(f"  {directory / name}" for name in stale)
        exit_with_error(f"Stale, run `huiqun schemas export`:\n{names}", EXIT_FAILED)
    output.print("The schemas are up to date.", highlight=False)


def _stale(directory: Path) -> list[str]:
    """What is missing, differs, or should not be there, by its path below the directory."""
    wanted = _generated()
    names = {*wanted, *(str(path.relative_to(directory)) for path in (directory / "schemas").glob("*.json"))}
    return sorted(name for name in names if wanted.get(name) != _text_of(directory / name))


def _text_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


@cache
def _generated() -> Mapping[str, str]:
    """The texts of the files, by their path below the directory."""
    schemas = {
        f"schemas/{name}.json": json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
        for name, schema in event_schemas().items()
    }
    document = yaml.dump(asyncapi_document(), Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=120)
    return {**schemas, "asyncapi.yaml": _GENERATED + document}

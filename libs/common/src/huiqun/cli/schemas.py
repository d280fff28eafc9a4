"""`huiqun schemas`: the JSON Schemas and the AsyncAPI document, generated from the contracts."""

import json
from pathlib import Path
from typing import Annotated

import typer
import yaml

from huiqun.cli.terminal import NO, fail, output
from huiqun.contracts.asyncapi import asyncapi_document
from huiqun.contracts.schemas import event_schemas

app = typer.Typer(help="JSON Schemas of the events, and an AsyncAPI 3 document of the topics.", no_args_is_help=True)

Directory = Annotated[Path, typer.Option(file_okay=False, help="Where asyncapi.yaml and schemas/ stand.")]
_GENERATED = "# Generated from huiqun.contracts by `huiqun schemas export`: edit those.\n"


@app.command()
def export(directory: Directory = Path("docs")) -> None:
    """Write them, and remove the schemas of events that are no more."""
    stale = _stale(directory)
    wanted = _files(directory)
    for path in stale:
        if path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        else:
            path.unlink()
    output.print(f"{len(stale)} of {len(wanted)} files were stale.", highlight=False)


@app.command()
def check(directory: Directory = Path("docs")) -> None:
    """Compare them with the contracts; exit 1 with the names of the files that are stale."""
    if stale := _stale(directory):
        names = "\n".join(f"  {path}" for path in stale)
        fail(f"Stale, run `huiqun schemas export`:\n{names}", NO)
    output.print("The schemas are up to date.", highlight=False)


def _stale(directory: Path) -> list[Path]:
    """What is missing, differs, or should not be there."""
    wanted = _files(directory)
    present = {path: path.read_text(encoding="utf-8") for path in (directory / "schemas").glob("*.json")}
    for path in wanted:
        if path not in present and path.exists():
            present[path] = path.read_text(encoding="utf-8")
    return sorted(path for path in wanted.keys() | present.keys() if wanted.get(path) != present.get(path))


def _files(directory: Path) -> dict[Path, str]:
    files = {
        directory / "schemas" / f"{name}.json": json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
        for name, schema in event_schemas().items()
    }
    document = yaml.safe_dump(asyncapi_document(), sort_keys=False, allow_unicode=True, width=120)
    files[directory / "asyncapi.yaml"] = _GENERATED + document
    return files

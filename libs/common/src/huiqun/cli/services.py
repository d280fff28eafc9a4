"""The commands that services add to `huiqun`, a group for each that is installed: entry points of `huiqun.commands`.

An entry point has the name of its service, and is a `typer.Typer`. It is loaded when somebody calls it: it brings all
that the service itself imports.
"""

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

import typer

_ENTRY_POINTS: Final = "huiqun.commands"
# Whatever stands after the service's name is for its own commands to read.
_PASS_ON: Final[dict[str, Any]] = {
    "allow_extra_args": True,
    "allow_interspersed_args": False,
    "ignore_unknown_options": True,
}


def add_service_commands(app: typer.Typer) -> None:
    """Add a group of commands for each service that is installed and has any."""
    for service in sorted(entry_points(group=_ENTRY_POINTS), key=lambda each: each.name):
        shown = f"What {service.name} adds: huiqun {service.name} --help."
        register = app.command(service.name, help=shown, context_settings=_PASS_ON, add_help_option=False)
        register(_commands_of(service))


def _commands_of(service: EntryPoint) -> Callable[[typer.Context], None]:
    def call_command(context: typer.Context) -> None:
        service.load()(args=context.args, prog_name=context.command_path)

    return call_command

"""`huiqun api-keys`: make keys for callers of a service's HTTP interface, list them, take them back."""

from typing import Annotated, Any, get_args

import typer
from rich.table import Table

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.cli.operator import run_in_transaction, shell_actor
from huiqun.cli.terminal import (
    EXIT_FAILED,
    Service,
    exit_with_error,
    notes,
    open_database,
    output,
    printable_line,
    run_command,
)
from huiqun.web import Role, create_api_key, revoke_api_key
from huiqun.web.api_keys import api_key_id_of, list_api_keys
from huiqun.work import Work

_ROLES: tuple[Role, ...] = get_args(Role)
app = typer.Typer(help="API keys of the services' HTTP interfaces.", no_args_is_help=True)


@app.command()
def create(
    service: Service,
    name: Annotated[str, typer.Option("--name", "-n", help="Who will use it; it stands in logs and audits.")],
    role: Annotated[
        list[str],
        typer.Option("--role", "-r", metavar="|".join(_ROLES), help="What it may do; may be given several times."),
    ],
) -> None:
    """Make a key and print it. Only its hash is stored: it cannot be shown again."""
    if unknown := set(role).difference(_ROLES):
        exit_with_error(f"Unknown roles: {', '.join(sorted(unknown))}; there are {', '.join(_ROLES)}.")
    granted: list[Role] = [each for each in _ROLES if each in role]

    async def use_case(work: Work) -> str:
        key = await create_api_key(work, name, granted)
        detail = {"name": name, "roles": list(granted)}
        await append_audit_entry(
            work, AuditEntry(shell_actor(), "api-key.created", f"key:{api_key_id_of(key)}", detail)
        )
        return key

    key = run_command(run_in_transaction(service, use_case))
    notes.print(f"A key for {service} with {', '.join(sorted(granted))}; it is shown once:", highlight=False)
    output.print(key, highlight=False, soft_wrap=True)


@app.command("list")
def list_keys(service: Service) -> None:
    """Show the keys of a service: whose they are and what they may do, but not the keys themselves."""
    table = Table("id", "name", "roles", "made", "taken back")
    for key in run_command(_read(service)):
        revoked = f"{key['revoked_at']:%F %T}" if key["revoked_at"] else ""
        table.add_row(
            printable_line(key["_id"]),
            printable_line(key["name"]),
            printable_line(", ".join(key["roles"])),
            f"{key['created_at']:%F %T}",
            revoked,
        )
    output.print(table)


@app.command()
def revoke(service: Service, key_id: Annotated[str, typer.Argument(help="The key's id, as `list` shows it.")]) -> None:
    """Take a key back: from now on it lets nobody in."""

    async def use_case(work: Work) -> bool:
        found = await revoke_api_key(work, key_id)
        if found:
            await append_audit_entry(work, AuditEntry(shell_actor(), "api-key.revoked", f"key:{key_id}"))
        return found

    if not run_command(run_in_transaction(service, use_case)):
        exit_with_error(
            f"{service} has no key {key_id} that is in use: huiqun api-keys list --service {service}", EXIT_FAILED
        )
    notes.print(printable_line(f"Key {key_id} of {service} lets nobody in any more."))


async def _read(service: str) -> list[dict[str, Any]]:
    async with open_database(service) as database:
        return await list_api_keys(database)

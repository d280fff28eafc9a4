"""`huiqun api-keys`: make a key for a caller of a service's HTTP interface."""

from typing import Annotated, get_args

import typer

from huiqun.cli.terminal import Service, database_of, fail, notes, output, run
from huiqun.web import Role, create_api_key

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
        fail(f"Unknown roles: {', '.join(sorted(unknown))}; there are {', '.join(_ROLES)}.")
    key = run(_create(service, name, role))
    notes.print(f"A key for {service} with {', '.join(sorted(set(role)))}; it is shown once:", highlight=False)
    output.print(key, highlight=False, soft_wrap=True)


async def _create(service: str, name: str, roles: list[str]) -> str:
    granted: list[Role] = [role for role in _ROLES if role in roles]
    async with database_of(service) as database:
        return await create_api_key(database, name, granted)

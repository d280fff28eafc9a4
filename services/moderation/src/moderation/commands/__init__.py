"""`huiqun moderation`: what an operator does with moderation from a shell. Each module holds one command."""

import typer

from moderation.commands.backtest_policy import backtest_policy
from moderation.commands.export_messages import export_messages
from moderation.commands.import_words import import_words

app = typer.Typer(
    name="moderation",
    help="Import word lists, try a policy's version, and export messages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(backtest_policy)
app.command()(export_messages)
app.command()(import_words)

"""`huiqun topics`: create and list the topics."""

from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table

from huiqun.cli.terminal import load_settings, output, run_command
from huiqun.contracts.topics import TOPICS
from huiqun.kafka.topics import count_partitions, create_topics

app = typer.Typer(help="The topics of Huiqun, with their partitions and retention.", no_args_is_help=True)

Partitions = Annotated[
    int, typer.Option(min=1, max=10_000, help="Partitions of each new topic: the most replicas that can share it.")
]
Replication = Annotated[int, typer.Option(min=1, max=15, help="Copies of each record; 3 on a cluster of several.")]


@app.command()
def create(partitions: Partitions = 12, replication: Replication = 1) -> None:
    """Create the topics that are missing. Those that exist are left as they are."""
    options = load_settings().kafka
    made = run_command(create_topics(options, partitions=partitions, replication=replication))
    for name in made:
        output.print(f"created {options.prefix}{name}", highlight=False)
    output.print(f"{len(made)} created, {len(TOPICS) - len(made)} existed already.", highlight=False)


@app.command("list")
def list_topics() -> None:
    """List the topics: who owns them, what they are keyed by, and whether the broker has them."""
    options = load_settings().kafka
    counted = run_command(count_partitions(options))
    table = Table("topic", "owner", "key", "kept", "partitions", title_justify="left")
    for topic in TOPICS:
        partitions = counted.get(topic.name)
        shown = "missing" if partitions is None else str(partitions)
        kept = f"{topic.retention // timedelta(days=1)} days"
        table.add_row(f"{options.prefix}{topic.name}", topic.owner, topic.key, kept, shown)
    output.print(table)
    if len(counted) < len(TOPICS):
        output.print("Create the others: huiqun topics create", highlight=False)

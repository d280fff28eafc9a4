"""`huiqun`: what an operator does from a shell. Each module holds the commands of one noun."""

import typer

from huiqun.cli import api_keys, audit, consumer, dead_letters, encryption_keys, outbox, schemas, tasks, topics
from huiqun.cli.services import add_service_commands

app = typer.Typer(
    name="huiqun",
    help="Operate Huiqun: topics, consumers, dead letters, tasks, the outbox, the audit log, "
    "API keys, encryption keys, schemas, and what each service adds.\n\n"
    "Servers come from the environment, as for the services: HUIQUN_KAFKA_BOOTSTRAP, HUIQUN_TOPIC_PREFIX, "
    "HUIQUN_MONGO_URL, HUIQUN_DATABASE_PREFIX.\n\n"
    "Exit codes: 0 done; 1 the answer is no (stale, tampered with, no such thing); "
    "2 it could not be asked (wrong usage, a server does not answer).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(topics.app, name="topics")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(tasks.app, name="tasks")
app.add_typer(consumer.app, name="consumer")
app.add_typer(outbox.app, name="outbox")
app.add_typer(audit.app, name="audit")
app.add_typer(api_keys.app, name="api-keys")
app.add_typer(encryption_keys.app, name="encryption-keys")
app.add_typer(schemas.app, name="schemas")
add_service_commands(app)

__all__ = ["app"]

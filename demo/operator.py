"""What an operator does around the day: policies for the groups before it, a key to look around with after it."""

from collections.abc import Sequence

from demo.story.script import CHATS
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.runtime.clock import SystemClock
from huiqun.store import Client, Database, OutsideTransaction
from huiqun.versions.model import ActivateVersionCommand
from huiqun.web import create_api_key
from huiqun.web.api_keys import API_KEYS
from huiqun.work import Transactor, Work
from local.system import ReportProgress
from moderation.group_policies.handlers import assign_policy
from moderation.policies.handlers import activate_policy_version, write_policy_version
from moderation.policies.sections.rules import Rules

OPERATOR = "demo"
APPROVER = "demo-approver"


async def write_policies(report: ReportProgress, client: Client, database: Database, kafka: KafkaOptions) -> None:
    """Write, activate and assign the policies of the story's groups."""
    report("Writing the policies of three groups")

    async def use_case(work: Work) -> None:
        for chat in CHATS:
            await write_policy_version(work, chat.policy_id, Rules(**chat.rules), chat.group.name, OPERATOR)
            await activate_policy_version(work, chat.policy_id, ActivateVersionCommand(1, APPROVER), _whatever)
            await assign_policy(work, chat.group.group_id, chat.policy_id, _whatever, OPERATOR)

    publisher = Publisher(kafka)
    try:
        await Transactor(client, database, publisher, SystemClock()).run(use_case)
    finally:
        await publisher.stop()


def _whatever(revision: int) -> None:
    """Nobody else changes them meanwhile."""


async def create_admin_key(databases: Sequence[Database]) -> str:
    """Make an API key that is good for everything, and put it into the database of every service."""
    first, *others = databases
    key = await create_api_key(OutsideTransaction(first), OPERATOR, ["admin"])
    stored = await first[API_KEYS].find_one({"name": OPERATOR})
    if stored is not None:
        for database in others:
            await database[API_KEYS].insert_one(stored)
    return key

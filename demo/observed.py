"""What is to be seen after a run: in the databases, on the topics, on the dead-letter topics."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from huiqun.audit import AUDIT_INDEXES, VerificationReport, verify_audit_log
from huiqun.channel.directory.documents import member_from
from huiqun.channel.directory.model import DirectoryMember
from huiqun.channel.directory.store import DIRECTORY
from huiqun.contracts.catalog import decode_event
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import MemberSanctioned, MessageScreened, Sanction, Screened
from huiqun.contracts.topics import MODERATION_DECISIONS, Topic
from huiqun.kafka import KafkaOptions
from huiqun.privacy.encryption import KEY_VAULT
from huiqun.store import Database, OutsideTransaction
from huiqun.stream import STREAM_INDEXES
from huiqun.stream.dead_letters import DeadLetter, read_dead_letters
from huiqun.tasks.store import TASK_INDEXES
from huiqun.web import WEB_INDEXES
from huiqun.work import WORK_INDEXES
from local.system import System
from local.topics import count_records, open_reader, read_records
from moderation.archive.model import RevisionKey

Document = Mapping[str, Any]

# Collections that every service has for its own machinery.
_MACHINERY: Final = {*WORK_INDEXES, *STREAM_INDEXES, *TASK_INDEXES, *WEB_INDEXES, *AUDIT_INDEXES, KEY_VAULT}
_RECORDS: Final = {"engagement": "activity", "crm-sync": "members", "survey": "eligibility"}


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """`archived` are moderation's messages by key of their revision, `decisions` the events on its topic.

    `records` are the documents of the other services, by service: of engagement its activity, of crm-sync its
    members, of survey its eligibility. `members` are those of their directories. `documents` counts those of each
    collection.
    """

    archived: Mapping[str, Document]
    decisions: Sequence[Event]
    records: Mapping[str, Sequence[Document]]
    members: Mapping[str, Sequence[DirectoryMember]]
    audits: Mapping[str, VerificationReport]
    actions: Sequence[Document]
    dead: Mapping[str, Sequence[DeadLetter]]
    documents: Mapping[str, Mapping[str, int]]

    @property
    def verdicts(self) -> Counter[str]:
        """How many messages got which verdict."""
        return Counter(document["verdict"] for document in self.archived.values())

    @property
    def sanctions(self) -> list[Sanction]:
        """The sanctions on the topic."""
        return [event.data for event in self.decisions if isinstance(event, MemberSanctioned)]

    def outcome(self, key: str) -> str:
        """What came of a message in a few words: verdict, worst category, sanction."""
        document = self.archived[key]
        worst = max(document.get("reasons", ()), key=lambda reason: reason["severity"], default=None)
        kinds = [each.kind.value for each in self.sanctions if each.message_id == key.partition("/")[0]]
        why = f" {worst['category']}" if worst else ""
        then = f" → {kinds[0]}" if kinds and document["verdict"] != "allow" else ""
        return f"{document['verdict']}{why}{then}".replace("_", " ")

    @property
    def screened(self) -> dict[str, list[MessageScreened]]:
        """The verdicts on the topic by key of the message's revision."""
        found: dict[str, list[MessageScreened]] = {}
        for event in self.decisions:
            if isinstance(event, MessageScreened):
                found.setdefault(revision_key_of(event), []).append(event)
        return found


async def observe_run(system: System) -> ObservedRun:
    """Read everything that the run has left behind."""
    moderation = system.database("moderation")
    names = [service.name for service in system.services]
    return ObservedRun(
        archived={
            _named(RevisionKey.parse(document["_id"])): document
            async for document in moderation["messages"].find().sort("sent_at", 1)
        },
        decisions=await list_topic_events(system.kafka, MODERATION_DECISIONS),
        records={
            name: [document async for document in system.database(name)[collection].find()]
            for name, collection in _RECORDS.items()
        },
        members={
            name: [member_from(each) async for each in system.database(name)[DIRECTORY].find({"record": "member"})]
            for name in _RECORDS
        },
        audits={name: await verify_audit_log(OutsideTransaction(system.database(name))) for name in names},
        actions=[document async for document in moderation["actions"].find().sort("requested_at", 1)],
        dead={name: [letter async for letter in read_dead_letters(system.kafka, name)] for name in names},
        documents={name: await _documents(system.database(name)) for name in names},
    )


def revision_key_of(event: MessageScreened) -> str:
    """The key of the message's revision: "m1", and "m1/1" once edited."""
    return _named(event.data)


def _named(revision: RevisionKey | Screened) -> str:
    return f"{revision.message_id}/{revision.revision}" if revision.revision else revision.message_id


async def list_topic_events(kafka: KafkaOptions, topic: Topic) -> list[Event]:
    """All that is on the topic now."""
    left = await count_records(kafka, topic)
    found: list[Event] = []
    async with open_reader(kafka, topic) as consumer:
        while len(found) < left:
            found += [decode_event(topic, record.value) for record in await read_records(consumer)]
    return found


async def _documents(database: Database) -> dict[str, int]:
    names = sorted(set(await database.list_collection_names()) - _MACHINERY)
    return {name: await database[name].count_documents({}) for name in names}

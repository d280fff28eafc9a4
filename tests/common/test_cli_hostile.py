"""What others wrote into records and documents neither steers the operator's terminal nor hides on it."""

import json
import unicodedata
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from huiqun.audit import AUDIT_INDEXES
from huiqun.cli.terminal import printable_json, printable_line, printable_text
from huiqun.contracts.topics import dead_letters_of
from huiqun.kafka.publisher import Record
from huiqun.store import OutsideTransaction, ensure_indexes
from huiqun.testing.rig import Rig
from huiqun.web import WEB_INDEXES, create_api_key
from tests.shell import Shell

STEERS = {
    "clears the screen": "\x1b[2J\x1b[H",
    "sets the title": "\x1b]0;owned\x07",
    "is a C1 sequence": "\x9b31m\x9d0;x\x9c",
    "turns the direction": "\u202egnp.exe\u202c \u2066x\u2069",
    "is invisible": "a\u200bb\ufeffc\u2060d\u00ade",
    "goes back over the line": "good\rbad \x08\x7f",
    "is half of a character": "\ud83d",
    "is a NUL": "\x00",
    "is another kind of line break": "a\u2028b\u2029c\x85d\x0b\x0ce",
    "is private or not assigned": "\ue000\U000e0041\u0378",
}
EVIL = "".join(STEERS.values()).replace("\ud83d", "")
MARKUP = "[red]not red[/] [link=https://evil.example]here[/link] [/]"
HONEST = "您好，世界！　Ünïcödé 😀 e\u0301"


def is_harmless(text: str) -> bool:
    return all(each in "\n\t" or each.isprintable() or unicodedata.category(each) == "Zs" for each in text)


@pytest.mark.parametrize("text", STEERS.values(), ids=STEERS.keys())
def test_what_steers_a_terminal_is_shown_as_what_it_is(text: str) -> None:
    for shown in (printable_text(text).plain, printable_line(text).plain):
        assert is_harmless(shown)
        assert "\\" in shown
        assert "\N{REPLACEMENT CHARACTER}" not in shown, "the operator has to see what was there"
    assert is_harmless(line := printable_json({"text": text}))
    assert json.loads(line) == {"text": text}


def test_what_is_only_foreign_is_shown_as_it_is() -> None:
    assert printable_text(HONEST + "\n\t").plain == HONEST + "\n\t"
    assert printable_json(HONEST) == f'"{HONEST}"'


def test_one_line_stays_one_line() -> None:
    assert printable_line("a\nb\tc").plain == r"a\nb\tc"


@pytest_asyncio.fixture
async def shell(rig: Rig, mongo_url: str) -> AsyncIterator[Shell]:
    """A shell on the rig's servers, whose databases stand behind the rig's name."""
    prefix = f"{rig.database.name}_"
    yield Shell(
        {
            "HUIQUN_MONGO_URL": mongo_url,
            "HUIQUN_DATABASE_PREFIX": prefix,
            "HUIQUN_KAFKA_BOOTSTRAP": rig.broker.options.bootstrap,
            "HUIQUN_TOPIC_PREFIX": rig.broker.options.prefix,
            "HUIQUN_KAFKA_IDEMPOTENT": str(rig.broker.options.idempotent),
        }
    )
    await rig.client.drop_database(f"{prefix}survey")


@pytest.mark.parametrize("value", [EVIL.encode(), json.dumps({"text": EVIL}).encode(), b"\xff\xfe\x1b[2J"])
async def test_a_dead_letter_full_of_such_things_is_harmless_to_look_at(rig: Rig, shell: Shell, value: bytes) -> None:
    """Whoever can write to the topic has written every field of it."""
    evil = EVIL + MARKUP
    fields = ("topic", "partition", "offset", "time", "reason", "error", "replays")
    headers = (*((f"dead-letter-{name}", evil.encode()) for name in fields), (evil, evil.encode()), (MARKUP, b"\x1b"))
    await rig.broker.publisher.publish([Record(dead_letters_of("survey").name, evil.encode(), value, headers)])
    of = ("--service", "survey")
    (listed,) = (await shell.run_successfully("dead-letters", "list", *of, "--json")).splitlines()
    assert json.loads(listed)["reason"] == evil
    outputs = [listed, await shell.run_successfully("dead-letters", "list", *of)]
    outputs.append(await shell.run_successfully("dead-letters", "show", json.loads(listed)["id"], *of))
    refused = await shell.run_command("dead-letters", "replay", json.loads(listed)["id"], *of)
    assert refused.exit_code == 1
    for output in (*outputs, refused.output):
        assert is_harmless(output)
        assert "\N{REPLACEMENT CHARACTER}" not in output
    assert MARKUP[:15] in outputs[-1], "markup is text"
    assert "2J" in outputs[-1], "it is shown, not swallowed"


async def test_names_of_keys_and_a_forged_audit_log_are_harmless_to_look_at(rig: Rig, shell: Shell) -> None:
    database = rig.client[f"{rig.database.name}_survey"]
    await ensure_indexes(database, {**WEB_INDEXES, **AUDIT_INDEXES})
    await create_api_key(OutsideTransaction(database), "desk", ["viewer"])
    evil = EVIL.replace("\x00", "") + MARKUP
    await database["api_keys"].update_many({}, {"$set": {"name": evil, "roles": [evil]}})
    await database["audit_log"].insert_one({"_id": 1, "actor": evil, "action": evil, "subject": evil, "hash": evil})
    for command in (("api-keys", "list"), ("audit", "verify"), ("api-keys", "revoke", evil)):
        result = await shell.run_command(*command, "--service", "survey")
        assert is_harmless(result.output), command

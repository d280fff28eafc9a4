"""`huiqun audit` and `huiqun api-keys` on a real database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from huiqun.audit import AUDIT_INDEXES, AuditEntry, append_audit_entries
from huiqun.privacy.encryption import SERVICE_KEY, FieldEncryption, MasterKeys
from huiqun.store import Database
from huiqun.testing.rig import Rig
from huiqun.web.api_keys import find_principal
from huiqun.work import Transactor, Work
from local.ports import free_port
from local.stack import Stack
from tests.shell import Shell


@dataclass(frozen=True)
class Desk:
    """A shell, and the database of crm-sync that it works on."""

    shell: Shell
    database: Database
    transactor: Transactor

    async def note(self, *subjects: str) -> None:
        async def use_case(work: Work) -> int:
            entries = [AuditEntry("key:1", "member.muted", subject, {"hours": 2}) for subject in subjects]
            return await append_audit_entries(work, entries)

        await self.transactor.run(use_case)


@pytest_asyncio.fixture
async def desk(stack: Stack, database_name: str) -> AsyncIterator[Desk]:
    environment = {"HUIQUN_MONGO_URL": stack.mongo_url, "HUIQUN_DATABASE_PREFIX": f"{database_name}_"}
    async with Rig.open(stack.mongo_url, f"{database_name}_crm_sync", AUDIT_INDEXES) as rig:
        yield Desk(Shell(environment), rig.database, rig.transactor)


VERIFY = ("audit", "verify", "--service", "crm-sync")


async def test_an_intact_log_is_verified_and_its_head_anchors_the_next_verification(desk: Desk) -> None:
    assert "0 entries, intact" in await desk.shell.run_successfully(*VERIFY)
    await desk.note("m1", "m2")
    verified = await desk.shell.run_successfully(*VERIFY)
    assert "2 entries, intact" in verified
    anchor = next(line for line in verified.splitlines() if line.startswith("head ")).removeprefix("head ")
    await desk.note("m3")
    assert "3 entries, intact" in await desk.shell.run_successfully(*VERIFY, "--anchor", anchor)
    assert (await desk.shell.run_command(*VERIFY, "--anchor", f"2:{'0' * 64}")).exit_code == 1
    assert (await desk.shell.run_command(*VERIFY, "--anchor", "nonsense")).exit_code == 2


async def test_an_entry_that_was_changed_is_named(desk: Desk) -> None:
    await desk.note("m1", "m2", "m3")
    await desk.database["audit_log"].update_one({"_id": 2}, {"$set": {"subject": "m9"}})
    result = await desk.shell.run_command(*VERIFY)
    assert result.exit_code == 1
    assert "Entry 2" in result.stdout
    assert "tampered" in result.stderr


async def test_a_store_that_is_away_is_named_without_its_password() -> None:
    url = f"mongodb://operator:hunter2@127.0.0.1:{free_port()}/?serverSelectionTimeoutMS=200"
    result = await Shell({"HUIQUN_MONGO_URL": url}).run_command(*VERIFY)
    assert result.exit_code == 2
    assert "MongoDB at mongodb://127.0.0.1" in result.stderr
    assert "hunter2" not in result.output
    assert "Traceback" not in result.output


async def test_a_key_is_printed_alone_and_lets_its_holder_in(desk: Desk) -> None:
    create = ("api-keys", "create", "--service", "crm-sync", "--name", "CRM desk", "--role", "viewer", "-r", "auditor")
    key = (await desk.shell.run_successfully(*create)).strip()
    principal = await find_principal(desk.database, key)
    assert principal is not None
    assert (principal.name, sorted(principal.roles)) == ("CRM desk", ["auditor", "viewer"])


async def test_who_makes_a_key_and_takes_it_back_stands_in_the_audit_log(desk: Desk) -> None:
    service = ("--service", "crm-sync")
    key = (
        await desk.shell.run_successfully("api-keys", "create", *service, "--name", "CRM desk", "--role", "viewer")
    ).strip()
    (stored,) = await desk.database["api_keys"].find().to_list(None)
    listed = await desk.shell.run_successfully("api-keys", "list", *service)
    assert stored["_id"] in listed
    assert key not in listed
    assert "lets nobody in" in (await desk.shell.run_command("api-keys", "revoke", *service, stored["_id"])).stderr
    assert await find_principal(desk.database, key) is None
    assert (await desk.shell.run_command("api-keys", "revoke", *service, stored["_id"])).exit_code == 1
    entries = await desk.database["audit_log"].find().sort("_id", 1).to_list(None)
    assert [(entry["action"], entry["subject"]) for entry in entries] == [
        ("api-key.created", f"key:{stored['_id']}"),
        ("api-key.revoked", f"key:{stored['_id']}"),
    ]
    assert all(entry["actor"].startswith("shell:") for entry in entries)
    assert "2 entries, intact" in await desk.shell.run_successfully(*VERIFY)
    assert key.rpartition("_")[2] not in str(entries)


@pytest.mark.parametrize("wrong", [("--role", "king"), ("--service", "banking"), ()])
async def test_a_key_needs_a_service_and_roles_that_exist(wrong: tuple[str, ...]) -> None:
    given = ("--name", "x", "--role", "viewer", "--service", "survey")
    arguments = (*given, *wrong) if wrong else given[:4]
    assert (await Shell({}).run_command("api-keys", "create", *arguments)).exit_code == 2


async def test_data_keys_are_wrapped_anew_and_that_stands_in_the_audit_log(desk: Desk) -> None:
    old, new = "the key of last year", "the key of this year"
    before = FieldEncryption(desk.database.client, desk.database.name, MasterKeys(old))
    await before.start()
    encrypted = await before.encrypt("李女士", SERVICE_KEY)
    rewrap = ("encryption-keys", "rewrap", "--service", "crm-sync")
    with_new = {**desk.shell.environment, "HUIQUN_ENCRYPTION_KEY": new}
    refused = await Shell(with_new).run_command(*rewrap)
    assert (refused.exit_code, "HUIQUN_PREVIOUS_ENCRYPTION_KEY" in refused.output) == (2, True)
    with_both = {**with_new, "HUIQUN_PREVIOUS_ENCRYPTION_KEY": old}
    assert "1 data keys" in (await Shell(with_both).run_command(*rewrap)).output
    after = FieldEncryption(desk.database.client, desk.database.name, MasterKeys(new))
    assert await after.decrypt(encrypted) == "李女士"
    (entry,) = await desk.database["audit_log"].find().to_list(None)
    assert (entry["action"], entry["detail"]) == ("encryption-keys.rewrapped", {"keys": 1})

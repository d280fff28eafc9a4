"""Versions: nothing is in force that only its author has seen, and an approval holds for what was approved."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from huiqun.audit import AUDIT_INDEXES
from huiqun.store import OutsideTransaction
from huiqun.testing.rig import Rig
from huiqun.versions.handlers import VersionedDocuments
from huiqun.versions.migration import approval_migration
from huiqun.versions.model import (
    ActivateVersionCommand,
    ApprovalMismatchError,
    ApproveVersionCommand,
    FourEyesError,
    ReasonRequiredError,
    Version,
    VersionHead,
    VersionNotFoundError,
    VersionState,
    VersionStateError,
    WriteVersionCommand,
    content_hash_of,
)
from huiqun.versions.store import VersionStore
from huiqun.work import Transactor, Work


class PlanNotFoundError(VersionNotFoundError):
    """There is no such plan."""


SHIPPED = {"fire": {"steps": 1}}
PLANS = VersionedDocuments(
    VersionStore("plans", "plan_versions", "kind", "plan", ("tried",)),
    "plan",
    "plan",
    PlanNotFoundError,
    lambda: SHIPPED,
)
ANNA, BO, CHEN = "key:anna", "key:bo", "key:chen"


@pytest_asyncio.fixture
async def transactor(mongo_url: str, database_name: str) -> AsyncIterator[Transactor]:
    async with Rig.open(mongo_url, database_name, {**AUDIT_INDEXES, **PLANS.store.indexes}) as rig:
        yield rig.transactor


async def write(transactor: Transactor, author: str = ANNA, kind: str = "p1", **content: object) -> Version:
    draft = WriteVersionCommand(content or {"steps": 3}, "first", author)
    return await transactor.run(lambda work: PLANS.write_version(work, kind, draft))


async def activate(transactor: Transactor, number: int, actor: str, reason: str = "", kind: str = "p1") -> VersionHead:
    wish = ActivateVersionCommand(number, actor, reason)
    return await transactor.run(lambda work: PLANS.activate_version(work, kind, wish))


async def approve(transactor: Transactor, actor: str = BO, content: Mapping[str, Any] | None = None) -> Version:
    """Submit and approve version 1, as `content`, by default what the tests write."""

    async def use_case(work: Work) -> Version:
        await PLANS.submit_version(work, "p1", 1, ANNA)
        wish = ApproveVersionCommand(actor, content_hash_of(content or {"steps": 3}))
        return await PLANS.approve_version(work, "p1", 1, wish)

    return await transactor.run(use_case)


async def find(transactor: Transactor, number: int = 1) -> Version:
    return await PLANS.get_version(OutsideTransaction(transactor.database), "p1", number)


async def test_somebody_else_puts_a_version_in_force(transactor: Transactor) -> None:
    await write(transactor)
    with pytest.raises(FourEyesError, match="p1@1"):
        await activate(transactor, 1, ANNA)
    assert (await activate(transactor, 1, BO)).active == 1
    approval = (await find(transactor)).approval
    assert (approval.approved_by, approval.approved_hash) == (BO, content_hash_of({"steps": 3}))


async def test_who_wrote_a_version_puts_it_in_force_once_it_is_approved(transactor: Transactor) -> None:
    await write(transactor)
    assert (await approve(transactor)).approval.state is VersionState.APPROVED
    assert (await activate(transactor, 1, ANNA)).active == 1
    assert (await find(transactor)).approval.approved_by == BO


async def test_an_approval_of_another_content_than_the_version_has_is_refused(transactor: Transactor) -> None:
    await write(transactor)
    with pytest.raises(ApprovalMismatchError, match="p1@1"):
        await approve(transactor, content={"steps": 4})
    assert (await find(transactor)).approval.state is VersionState.DRAFT


async def test_an_edit_voids_the_approval_and_makes_its_author_an_editor(transactor: Transactor) -> None:
    await write(transactor)
    await approve(transactor)
    draft = WriteVersionCommand({"steps": 99}, "one more thing", CHEN)
    edited = await transactor.run(lambda work: PLANS.edit_version(work, "p1", 1, draft))
    assert edited.approval.state is VersionState.DRAFT
    assert edited == await find(transactor)
    for editor in (ANNA, CHEN):
        with pytest.raises(FourEyesError):
            await activate(transactor, 1, editor)
    assert (await activate(transactor, 1, BO)).active == 1


async def test_what_was_changed_behind_its_approval_is_not_put_in_force(transactor: Transactor) -> None:
    await write(transactor)
    await approve(transactor)
    await transactor.database["plan_versions"].update_one({"_id": "p1@1"}, {"$set": {"plan": {"steps": 99}}})
    with pytest.raises(ApprovalMismatchError):
        await activate(transactor, 1, BO)


async def test_who_goes_back_to_an_older_version_says_why(transactor: Transactor) -> None:
    await write(transactor)
    await write(transactor, BO, steps=4)
    await activate(transactor, 1, BO)
    await activate(transactor, 2, ANNA)
    with pytest.raises(ReasonRequiredError):
        await activate(transactor, 1, ANNA)
    assert (await activate(transactor, 1, ANNA, "version 2 asks too much")).active == 1


async def test_what_was_in_force_is_not_edited(transactor: Transactor) -> None:
    await write(transactor)
    await activate(transactor, 1, BO)
    with pytest.raises(VersionStateError, match="new version"):
        await transactor.run(lambda work: PLANS.edit_version(work, "p1", 1, WriteVersionCommand({}, "", ANNA)))


async def test_who_rejects_a_version_says_why_and_makes_it_a_draft_again(transactor: Transactor) -> None:
    await write(transactor)
    await transactor.run(lambda work: PLANS.submit_version(work, "p1", 1, ANNA))
    with pytest.raises(ReasonRequiredError):
        await transactor.run(lambda work: PLANS.reject_version(work, "p1", 1, BO, ""))
    await transactor.run(lambda work: PLANS.reject_version(work, "p1", 1, BO, "too long"))
    assert (await find(transactor)).approval.state is VersionState.DRAFT


async def test_every_step_is_audited_with_the_contents_hash(transactor: Transactor) -> None:
    version = await write(transactor)
    await approve(transactor)
    await activate(transactor, 1, ANNA)
    entries = [entry async for entry in transactor.database["audit_log"].find().sort("_id", 1)]
    assert [(entry["actor"], entry["action"]) for entry in entries] == [
        (ANNA, "plan.version.written"),
        (ANNA, "plan.version.submitted"),
        (BO, "plan.version.approved"),
        (ANNA, "plan.activated"),
    ]
    assert {entry["detail"]["hash"] for entry in entries} == {version.content_hash}
    assert {entry["subject"] for entry in entries} == {"plan/p1"}


async def test_what_there_is_not_is_told(transactor: Transactor) -> None:
    with pytest.raises(PlanNotFoundError):
        await activate(transactor, 1, BO)
    await write(transactor)
    with pytest.raises(PlanNotFoundError):
        await activate(transactor, 2, BO)


async def test_heads_and_versions_are_listed_in_pages(transactor: Transactor) -> None:
    for _ in range(3):
        await write(transactor)
    reader = OutsideTransaction(transactor.database)
    assert [version.number for version in await PLANS.list_versions(reader, "p1", 3, 10)] == [2, 1]
    heads = await PLANS.list_heads(reader, None, 10)
    assert [(head.document_id, head.latest, head.active, head.revision) for head in heads] == [
        ("fire", 0, 0, 0),
        ("p1", 3, None, 3),
    ]
    assert [head.document_id for head in await PLANS.list_heads(reader, "fire", 10)] == ["p1"]


async def test_what_is_shipped_is_in_force_until_another_version_is_and_can_be_gone_back_to(
    transactor: Transactor,
) -> None:
    reader = OutsideTransaction(transactor.database)
    assert (await PLANS.get_version(reader, "fire", 0)).content == SHIPPED["fire"]
    await write(transactor, kind="fire")
    assert (await PLANS.get_head(reader, "fire")).active == 0
    await activate(transactor, 1, BO, kind="fire")
    assert [each.number for each in await PLANS.list_versions(reader, "fire", None, 10)] == [1, 0]
    assert (await activate(transactor, 0, ANNA, "too hasty", kind="fire")).active == 0
    with pytest.raises(VersionStateError):
        await transactor.run(lambda work: PLANS.edit_version(work, "fire", 0, WriteVersionCommand({}, "", ANNA)))


def former(number: int, approver: str | None) -> dict[str, Any]:
    """A version as a release without approvals writes it; its activation names the approver."""
    return {
        "_id": f"p1@{number}",
        "kind": "p1",
        "version": number,
        "plan": {"steps": number},
        "note": "",
        "created_by": ANNA,
        "created_at": datetime(2026, 11, 1, tzinfo=UTC),
        "approved_by": approver,
    }


async def test_versions_of_a_release_without_approvals_are_read_and_bound_to_their_content(
    transactor: Transactor,
) -> None:
    versions = transactor.database["plan_versions"]
    await versions.insert_many([former(1, BO), former(2, None)])
    before = await find(transactor), await find(transactor, 2)
    assert [version.approval.state for version in before] == [VersionState.APPROVED, VersionState.DRAFT]
    migration = approval_migration("1-approvals", PLANS.store)
    assert await transactor.run(migration.rewrite_page) == 2
    assert await transactor.run(migration.rewrite_page) == 0
    assert (await find(transactor), await find(transactor, 2)) == before
    await versions.update_one({"_id": "p1@2"}, {"$set": {"approved_by": CHEN}})  # the older release activates it
    assert await transactor.run(migration.rewrite_page) == 1
    assert (await find(transactor, 2)).was_in_force

"""Versions: nothing is in force that only its author has seen, and an approval holds for what was approved."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from huiqun.audit import AUDIT_INDEXES
from huiqun.store import Outside
from huiqun.testing.rig import Rig
from huiqun.versions.handlers import DraftCommand, VersionedDocuments
from huiqun.versions.model import (
    PRESENT,
    ActivationCommand,
    Difference,
    FourEyesError,
    ReasonRequiredError,
    Version,
    VersionHead,
    VersionNotFoundError,
    VersionState,
    VersionStateError,
    content_hash_of,
    diff_contents,
)
from huiqun.versions.store import VersionStore
from huiqun.work import Transactor, Work

PLANS = VersionedDocuments(VersionStore("plans"), "plan")
ANNA, BO, CHEN = "key:anna", "key:bo", "key:chen"


@pytest_asyncio.fixture
async def transactor(mongo_url: str, database_name: str) -> AsyncIterator[Transactor]:
    async with Rig.open(mongo_url, database_name, {**AUDIT_INDEXES, **PLANS.store.indexes}) as rig:
        yield rig.transactor


async def write(transactor: Transactor, author: str = ANNA, **content: object) -> Version:
    draft = DraftCommand(content or {"steps": 3}, "first", author)
    return await transactor.run(lambda work: PLANS.write_version(work, "p1", draft))


async def activate(transactor: Transactor, number: int, actor: str, reason: str = "") -> VersionHead:
    wish = ActivationCommand(number, actor, reason)
    return await transactor.run(lambda work: PLANS.activate_version(work, "p1", wish))


async def test_somebody_else_puts_a_version_in_force(transactor: Transactor) -> None:
    await write(transactor)
    with pytest.raises(FourEyesError):
        await activate(transactor, 1, ANNA)
    head = await activate(transactor, 1, BO)
    assert head.in_force == 1
    version = await PLANS.store.find_version(Outside(transactor.database), "p1", 1)
    assert version is not None
    assert (version.approved_by, version.approved_hash) == (BO, content_hash_of({"steps": 3}))


async def test_an_edit_voids_the_approval_and_makes_its_author_an_editor(transactor: Transactor) -> None:
    await write(transactor)

    async def approve_and_edit(work: Work) -> Version:
        await PLANS.submit_version(work, "p1", 1, ANNA)
        approved = await PLANS.approve_version(work, "p1", 1, BO)
        assert approved.is_approved
        return await PLANS.edit_version(work, "p1", 1, DraftCommand({"steps": 99}, "one more thing", CHEN))

    edited = await transactor.run(approve_and_edit)
    assert edited.state is VersionState.DRAFT
    assert not edited.is_approved
    for editor in (ANNA, CHEN):
        with pytest.raises(FourEyesError):
            await activate(transactor, 1, editor)
    assert (await activate(transactor, 1, BO)).in_force == 1


async def test_an_approval_of_another_content_does_not_count(transactor: Transactor) -> None:
    await write(transactor)

    async def approve(work: Work) -> None:
        await PLANS.submit_version(work, "p1", 1, ANNA)
        await PLANS.approve_version(work, "p1", 1, BO)

    await transactor.run(approve)
    await transactor.database["plans_versions"].update_one({"_id": "p1@1"}, {"$set": {"content": {"steps": 99}}})
    with pytest.raises(FourEyesError):
        await activate(transactor, 1, ANNA)


async def test_who_goes_back_to_an_older_version_says_why(transactor: Transactor) -> None:
    await write(transactor)
    await write(transactor, BO, steps=4)
    await activate(transactor, 1, BO)
    await activate(transactor, 2, ANNA)
    with pytest.raises(ReasonRequiredError):
        await activate(transactor, 1, ANNA)
    assert (await activate(transactor, 1, ANNA, "version 2 asks too much")).in_force == 1


async def test_what_was_in_force_is_not_edited(transactor: Transactor) -> None:
    await write(transactor)
    await activate(transactor, 1, BO)
    with pytest.raises(VersionStateError, match="new version"):
        await transactor.run(lambda work: PLANS.edit_version(work, "p1", 1, DraftCommand({}, "", ANNA)))


async def test_only_what_is_submitted_is_approved_or_rejected(transactor: Transactor) -> None:
    await write(transactor)
    with pytest.raises(VersionStateError):
        await transactor.run(lambda work: PLANS.approve_version(work, "p1", 1, BO))
    await transactor.run(lambda work: PLANS.submit_version(work, "p1", 1, ANNA))
    with pytest.raises(FourEyesError):
        await transactor.run(lambda work: PLANS.approve_version(work, "p1", 1, ANNA))
    with pytest.raises(ReasonRequiredError):
        await transactor.run(lambda work: PLANS.reject_version(work, "p1", 1, BO, ""))
    rejected = await transactor.run(lambda work: PLANS.reject_version(work, "p1", 1, BO, "too long"))
    assert rejected.state is VersionState.DRAFT


async def test_every_step_is_audited_with_the_contents_hash(transactor: Transactor) -> None:
    version = await write(transactor)
    await activate(transactor, 1, BO)
    entries = [entry async for entry in transactor.database["audit_log"].find().sort("_id", 1)]
    assert [entry["action"] for entry in entries] == ["plan.version.written", "plan.version.approved", "plan.activated"]
    assert {entry["detail"]["hash"] for entry in entries} == {version.content_hash}


async def test_what_there_is_not_is_told(transactor: Transactor) -> None:
    with pytest.raises(VersionNotFoundError):
        await activate(transactor, 1, BO)
    await write(transactor)
    with pytest.raises(VersionNotFoundError):
        await activate(transactor, 2, BO)


async def test_heads_and_versions_are_listed_in_pages(transactor: Transactor) -> None:
    for _ in range(3):
        await write(transactor)
    listed = await PLANS.store.list_versions(Outside(transactor.database), "p1", 3, 10)
    assert [version.number for version in listed] == [2, 1]
    (head,) = await PLANS.store.list_heads(Outside(transactor.database), None, 10)
    assert (head.latest, head.in_force, head.revision) == (3, None, 3)


def test_a_difference_is_told_value_by_value() -> None:
    old = {"quota": {"per_day": 5}, "links": None, "kinds": [1, 2]}
    new = {"quota": {"per_day": 8}, "kinds": [1], "flood": {"within": 10}}
    assert diff_contents(old, new) == [
        Difference(("flood",), None, PRESENT),
        Difference(("flood", "within"), None, 10),
        Difference(("kinds",), [1, 2], [1]),
        Difference(("quota", "per_day"), 5, 8),
    ]


def test_a_hash_does_not_depend_on_the_order_of_keys() -> None:
    assert content_hash_of({"a": 1, "b": {"c": 2, "d": 3}}) == content_hash_of({"b": {"d": 3, "c": 2}, "a": 1})

"""A group's members, what they agreed to, and its rules."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, Field

from huiqun.audit.reading import ReadsNames
from huiqun.channel.directory import store as directory_store
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.model import DirectoryMember
from huiqun.contracts.channel import Role
from huiqun.contracts.envelope import Id
from huiqun.web import Page, Paging, Problem, ReadDatabase, Router
from moderation.membership.model.consent import Consent, ConsentState, has_agreed, version_of
from moderation.membership.store import consent_states, consents, groups
from moderation.policies.handlers import find_group, policy_in_force
from moderation.policies.model import MembershipRules, Policy

router = Router("/api/v1/groups/{group_id}", tag="membership", role="viewer")

GroupPath = Annotated[Id, Path(description="The group's id.", examples=["group-1"])]
MemberPath = Annotated[Id, Path(description="The member's id.", examples=["member-1"])]
VersionPath = Annotated[str, Path(max_length=64, description="As consents name it.", examples=["9f86d081884c"])]
Present = Annotated[
    bool | None, Query(description="Only who is there, or only who went; both without it.", examples=[True])
]
MemberId = Annotated[Id | None, Query(description="Only of this member.", examples=["member-1"])]


class MemberView(BaseModel):
    """Somebody in a group, or who was there."""

    member_id: str = Field(description="The member's id.", examples=["member-1"])
    role: Role = Field(description="What they are in the group.", examples=["customer"])
    display_name: str = Field(description="The name they go by.", examples=["李女士"])
    present: bool = Field(description="Whether they are there.", examples=[True])
    joined_at: datetime | None = Field(
        description="When they came, the last time; null if nobody said.", examples=["2026-11-22T08:00:00Z"]
    )
    invited_by: str | None = Field(description="Who invited them.", examples=["staff-7"])
    scene: str | None = Field(description="How they came.", examples=["qr"])
    left_at: datetime | None = Field(description="When they went.", examples=["2026-11-29T08:00:00Z"])
    left_reason: str | None = Field(description="Why they went: left or removed.", examples=["left"])
    consented: bool = Field(description="Whether they agreed to what the rules ask for now.", examples=[True])
    consented_to: str | None = Field(description="The version they last agreed to.", examples=["9f86d081884c"])
    consented_at: datetime | None = Field(description="When they did.", examples=["2026-11-22T08:05:00Z"])
    asked_at: datetime | None = Field(description="When they were last asked to.", examples=["2026-11-22T08:00:30Z"])


class ConsentView(BaseModel):
    """That a member agreed to a version of the rules."""

    id: str = Field(description="The consent's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    member_id: str = Field(description="Who agreed.", examples=["member-1"])
    rules_version: str = Field(description="To which rules; changes with their words.", examples=["9f86d081884c"])
    policy_version: str = Field(description="The policy they stood in.", examples=["default@3"])
    given_by: str = Field(description="How: by a reply, or on the page of a link.", examples=["reply"])
    given_at: datetime = Field(description="When.", examples=["2026-11-22T08:05:00Z"])


class RulesView(BaseModel):
    """The rules as members of a group see them now."""

    version: str | None = Field(
        description="Changes with their words; null if there are none.", examples=["9f86d081884c"]
    )
    policy_version: str = Field(description="The policy they stand in.", examples=["default@3"])
    text: str | None = Field(description="Their text.", examples=["1. 文明交流。\n2. 不发广告。"])
    url: str | None = Field(description="Where they stand in full.", examples=["https://bank.example.com/rules"])
    posted_at: datetime | None = Field(
        description="When they were last posted in the group.", examples=["2026-11-23T02:00:00Z"]
    )


class AgreedRulesView(BaseModel):
    """Rules that members have agreed to, in the words that they had then."""

    version: str = Field(description="The version that consents name.", examples=["9f86d081884c"])
    text: str | None = Field(description="Their text.", examples=["1. 文明交流。\n2. 不发广告。"])
    url: str | None = Field(description="Where they stood in full.", examples=["https://bank.example.com/rules"])
    first_agreed_at: datetime = Field(
        description="When somebody agreed to them first.", examples=["2026-11-22T08:05:00Z"]
    )


class Presenter:
    """Shows members as the directory has them, with what they agreed to."""

    def __init__(self, db: ReadDatabase, request: Request) -> None:
        self._db = db
        self._directory = cast("Directory", request.app.state.directory)

    async def list(
        self, group_id: str, *, present: bool | None, after: str | None, limit: int
    ) -> Sequence[DirectoryMember]:
        """List the members of a group by id, after the given one."""
        return await directory_store.list_members(self._db, group_id, present=present, after=after, limit=limit)

    async def show(self, group_id: str, members: Sequence[DirectoryMember]) -> Mapping[str, MemberView]:
        """Return what is shown of members of a group, by key."""
        rules = (await _policy(self._db, group_id)).rules.membership
        states = await consent_states.list_states(self._db, [member.key for member in members])
        details = await self._directory.reveal_personal_details(members)
        shown = {}
        for member in members:
            state = states.get(member.key) or ConsentState(group_id, member.member_id)
            shown[member.key] = _member(member, details[member.key].display_name, state, rules)
        return shown


Presenting = Annotated[Presenter, Depends()]


@router.get("/members", summary="List the members of a group")
async def list_members(
    presenter: Presenting, group_id: GroupPath, paging: Paging, reading: ReadsNames, present: Present = None
) -> Page[MemberView]:
    """By id. Who went is kept for 400 days. The reading is audited, because it shows names."""
    found = await presenter.list(group_id, present=present, after=paging.last(str), limit=paging.limit + 1)
    if found:
        await reading.record(f"group/{group_id}/members", members=min(len(found), paging.limit))
    shown = await presenter.show(group_id, found)
    return paging.page(found, lambda member: (member.member_id,), lambda member: shown[member.key])


@router.get("/members/{member_id}", summary="Read a member of a group")
async def read_member(
    db: ReadDatabase, presenter: Presenting, group_id: GroupPath, member_id: MemberPath, reading: ReadsNames
) -> MemberView:
    """404 for who was never heard of there. The reading is audited, because it shows a name."""
    member = await directory_store.find_member(db, group_id, member_id)
    if member is None:
        raise Problem(404, "unknown-member", f"Nobody of the id {member_id} is known in {group_id}.")
    await reading.record(f"group/{group_id}/members", member=member_id)
    return (await presenter.show(group_id, [member]))[member.key]


@router.get("/consents", summary="List who agreed to the rules of a group")
async def list_consents(
    db: ReadDatabase, group_id: GroupPath, paging: Paging, member_id: MemberId = None
) -> Page[ConsentView]:
    """Newest first; each is kept for five years."""
    found = await consents.page(db, group_id, member_id=member_id, before=paging.last(str), limit=paging.limit + 1)
    return paging.page(found, lambda consent: (consent.id,), _consent)


@router.get("/rules", summary="Read the rules of a group as its members see them")
async def read_rules(db: ReadDatabase, group_id: GroupPath) -> RulesView:
    """The fixed place where they can always be found."""
    policy = await _policy(db, group_id)
    rules = policy.rules.membership
    return RulesView(
        version=version_of(rules),
        policy_version=policy.label,
        text=rules.rules_text,
        url=rules.rules_url,
        posted_at=await groups.posted_at(db, group_id),
    )


@router.get("/rules/{version}", summary="Read the rules that members have agreed to")
async def read_agreed_rules(db: ReadDatabase, group_id: GroupPath, version: VersionPath) -> AgreedRulesView:
    """As they were worded then, whatever has become of the policy; 404 if nobody has agreed to this version."""
    found = await consents.agreed_rules(db, version)
    if found is None:
        raise Problem(404, "unknown-rules", f"Nobody in {group_id} has agreed to rules of the version {version}.")
    return AgreedRulesView(version=found.version, text=found.text, url=found.url, first_agreed_at=found.first_agreed_at)


async def _policy(db: ReadDatabase, group_id: str) -> Policy:
    return await policy_in_force(db, (await find_group(db, group_id)).settings)


def _member(member: DirectoryMember, name: str, state: ConsentState, rules: MembershipRules) -> MemberView:
    return MemberView(
        member_id=member.member_id,
        role=member.role or Role.CUSTOMER,
        display_name=name,
        present=member.is_present,
        joined_at=member.joined_at,
        invited_by=member.arrived.value.invited_by if member.arrived else None,
        scene=member.arrived.value.scene if member.arrived else None,
        left_at=member.left_at,
        left_reason=member.left_reason.value if member.left_reason else None,
        consented=has_agreed(state, rules),
        consented_to=state.agreed_to,
        consented_at=state.agreed_at,
        asked_at=state.asked_at,
    )


def _consent(consent: Consent) -> ConsentView:
    return ConsentView(
        id=consent.id,
        member_id=consent.member_id,
        rules_version=consent.rules_version,
        policy_version=consent.policy_version,
        given_by=consent.given_by,
        given_at=consent.given_at,
    )

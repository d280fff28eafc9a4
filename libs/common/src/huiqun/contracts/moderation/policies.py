"""Policies in force, and members' consent to the rules."""

from typing import ClassVar, Literal

from pydantic import Field

from huiqun.contracts.envelope import Event, Id, Payload
from huiqun.contracts.fields import DEFAULT_CHANNEL, ChannelSource, GroupId, MemberId
from huiqun.contracts.topics import MODERATION_DECISIONS


class ActivatedPolicy(Payload):
    """A version of a policy that is in force."""

    policy_id: Id = Field(description="The policy, by the id that operators gave it", examples=["default"])
    version: int = Field(ge=1, description="Which version of the policy is in force now")
    activated_by: str = Field(
        max_length=300, description="Who put the version in force, by principal id", examples=["key/admin-1"]
    )


class PolicyActivated(Event):
    """A version of a policy came into force; the subject is the policy's id."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.policy.activated"] = "moderation.policy.activated"
    data: ActivatedPolicy


class GivenConsent(Payload):
    """That a member agreed to the rules of a group."""

    channel: ChannelSource = DEFAULT_CHANNEL
    group_id: GroupId
    member_id: MemberId
    rules_version: str = Field(
        max_length=64, description="A hash of the rules' words, which changes with them", examples=["9f86d081"]
    )
    policy_version: str = Field(
        max_length=128, description="Policy and version under which the rules were shown", examples=["default@3"]
    )
    given_by: Literal["reply", "link"] = Field(
        description="How the member agreed: by a reply in the group, or on a page"
    )


class ConsentGiven(Event):
    """A member agreed to the rules of a group."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.consent.given"] = "moderation.consent.given"
    data: GivenConsent

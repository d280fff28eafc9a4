"""The policy of one group: what holds there and where each value comes from; rules of the group's own."""

from typing import Annotated, Any

from fastapi import Response
from pydantic import BaseModel, Field

from huiqun.privacy.text import MaskedText
from huiqun.web import Answer, IfMatch, Router, Store, WriteOnce, set_etag
from huiqun.work import Work
from moderation.policies import handlers
from moderation.policies.api.groups import GroupPath, Moderator
from moderation.policies.api.unfit import unfit
from moderation.policies.handlers import GroupPolicy, OwnChange, UnfitPolicyError
from moderation.policies.model import Rules, explain

router = Router("/api/v1/groups/{group_id}/policy", tag="groups", role="viewer")

Reason = Annotated[str, MaskedText(strip_whitespace=True, min_length=1, max_length=1_000)]


class OriginView(BaseModel):
    """A value of the rules, and who says it."""

    path: str = Field(description="Where it stands in the rules.", examples=["quota/per_day"])
    value: Any = Field(description="The value.", examples=[5])
    source: str = Field(
        description="Who says it: built_in, a policy's version, or the group itself.", examples=["vip@3"]
    )


class GroupPolicyView(BaseModel):
    """The rules of a group, value by value."""

    group_id: str = Field(description="The group's id.", examples=["group-1"])
    policy: str = Field(
        description="How decisions name it: policy and version, +d the default's it inherits from, +g own rules.",
        examples=["vip@3+d2+g2"],
    )
    layers: list[str] = Field(
        description="What it is made of; each says what is to be other than before.",
        examples=[["built_in", "default@2", "vip@3", "group"]],
    )
    rules: Rules = Field(description="The rules that the group's messages are judged by.")
    origins: list[OriginView] = Field(description="Where each value comes from.")
    own_rules: dict[str, Any] = Field(
        description="What the group changes for itself.", examples=[{"quota": {"per_day": 8}}]
    )
    own_revision: int = Field(description="Rises when its own rules change; it is the ETag, too.", examples=[2])


class OwnRulesDraft(BaseModel):
    """What a group is to change in its policy."""

    rules: Rules = Field(description="What is to be other than in the policy; nothing takes all own rules away.")
    reason: Reason = Field(description="Why.", examples=["Launch week in this group only"])


@router.get("", summary="Read the rules of a group, and where each value comes from")
async def read_group_policy(db: Store, group_id: GroupPath, response: Response) -> GroupPolicyView:
    """Under the default, the policy assigned to the group, and the group's own rules."""
    found = await handlers.policy_of_group(db, group_id)
    set_etag(response, found.record.own_revision)
    return _view(found)


@router.put("", summary="Give a group rules of its own, in force at once", response_model=GroupPolicyView)
async def set_own_rules(
    group_id: GroupPath, draft: OwnRulesDraft, seen: IfMatch, write: WriteOnce, who: Moderator
) -> Response:
    """They stand above the group's policy, whichever version of it is in force, and replace the own rules of before."""
    wish = OwnChange(draft.rules, draft.reason, who.id)

    async def use_case(work: Work) -> Answer:
        found = await handlers.set_own_rules(work, group_id, wish, seen.check)
        return Answer(_view(found), version=found.record.own_revision)

    try:
        return await write(use_case)
    except UnfitPolicyError as error:
        raise unfit(error) from None


def _view(found: GroupPolicy) -> GroupPolicyView:
    own = found.record.settings.own
    origins = explain(found.layers, found.policy.rules)
    return GroupPolicyView(
        group_id=found.record.id,
        policy=found.policy.label,
        layers=["built_in", *(layer.source for layer in found.layers)],
        rules=found.policy.rules,
        origins=[OriginView(path="/".join(each.path), value=each.value, source=each.source) for each in origins],
        own_rules=dict(own.changes) if own else {},
        own_revision=found.record.own_revision,
    )

"""Routes of the rules that a group's members see."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.web import ReadDatabase, Router
from moderation.consent.model import rules_version_of
from moderation.group_policies.handlers import get_group_context
from moderation.welcome import store

router = Router("/api/v1/groups/{group_id}/rules", tag="welcome", role="viewer")

GroupPath = Annotated[Id, Path(description="The group's id.", examples=["group-1"])]


class GroupRulesView(BaseModel):
    """The rules as members of a group see them now."""

    version: str | None = Field(
        description="The version of the rules, which changes with their words; null if there are none.",
        examples=["9f86d081884c"],
    )
    policy_version: str = Field(description="The version of the policy that holds the rules.", examples=["default@3"])
    text: str | None = Field(description="The text of the rules.", examples=["1. 文明交流。\n2. 不发广告。"])
    url: str | None = Field(description="The address of the full rules.", examples=["https://bank.example.com/rules"])
    posted_at: datetime | None = Field(
        description="Moment the rules were last posted in the group.", examples=["2026-11-23T02:00:00Z"]
    )


@router.get("", summary="Read the rules of a group as its members see them")
async def read_group_rules(db: ReadDatabase, group_id: GroupPath) -> GroupRulesView:
    """The fixed place where the rules of a group can always be found."""
    context = await get_group_context(db, group_id)
    rules = context.rules.membership
    return GroupRulesView(
        version=rules_version_of(rules),
        policy_version=context.policy.label,
        text=rules.rules_text,
        url=rules.rules_url,
        posted_at=await store.find_posting_time(db, group_id),
    )

"""What a plan says: how a kind of crisis is met, step by step. Operators write plans as data."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from huiqun.contracts.envelope import Id
from huiqun.contracts.moderation import GroupMode
from huiqun.privacy.text import ComparedText, MaskedText

Kind = Annotated[str, ComparedText(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
StepKey = Annotated[str, ComparedText(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
Title = Annotated[str, MaskedText(strip_whitespace=True, min_length=1, max_length=100)]
Words = Annotated[str, MaskedText(strip_whitespace=True, min_length=1, max_length=2_000)]
Text = Annotated[str, MaskedText(max_length=2_000)]
Minutes = Annotated[int, Field(ge=1, le=10_080)]


class PlanValues(BaseModel):
    """Values an operator writes: a field that is not known is an error, because it would do nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Announcements(PlanValues):
    """What is sent in a group when its mode changes."""

    quiet: Words = Field(
        default="【通知】本群即刻起进入安静模式，请暂缓闲聊；如有疑问请 @工作人员 简短提问，我们会尽快回复。",
        description="When it becomes quiet.",
        examples=["【通知】本群即刻起进入安静模式。"],
    )
    lockdown: Words = Field(
        default="【通知】本群暂停成员发言，目前仅由工作人员发布消息，请以本群公告为准。恢复时将在群内通知。",
        description="When only staff may write.",
        examples=["【通知】本群暂停成员发言。"],
    )
    normal: Words = Field(
        default="【通知】本群已恢复正常发言，感谢大家的理解与配合。",
        description="When everybody may write again.",
        examples=["【通知】本群已恢复正常发言。"],
    )

    def of(self, mode: GroupMode) -> str:
        """The text for a change to this mode."""
        return {GroupMode.QUIET: self.quiet, GroupMode.LOCKDOWN: self.lockdown, GroupMode.NORMAL: self.normal}[mode]


class Step(PlanValues):
    """Something that somebody has to do in time; doing it may set the groups' mode and post a message."""

    key: StepKey = Field(description="Its name within the plan.", examples=["verify"])
    title: Title = Field(description="What is to be done, in a few words.", examples=["核实情况"])
    detail: Text = Field(default="", description="How it is done.", examples=["向当事客户了解时间、渠道和内容。"])
    owner_role: Title = Field(description="Who does it, as a role.", examples=["群主"])
    owner_id: Id | None = Field(
        default=None, description="Who does it, as a member id of the channel.", examples=["staff-7"]
    )
    due_minutes: Minutes = Field(description="When it is due, counted from the opening.", examples=[15])
    mode: GroupMode | None = Field(
        default=None, description="The mode that the groups take when it is done.", examples=["quiet"]
    )
    message: Words | None = Field(
        default=None,
        description="What is sent in the groups when it is done.",
        examples=["我们正在核实有关情况。"],
    )


class Trigger(PlanValues):
    """When to propose an incident: so many blocked messages in so many minutes."""

    blocks: int = Field(ge=2, le=100_000, description="How many blocked messages.", examples=[20])
    minutes: int = Field(ge=1, le=1_440, description="Within how many minutes.", examples=[10])
    scope: Literal["group", "all"] = Field(
        default="group", description="Counted in each group, or over all groups together.", examples=["group"]
    )


def _distinct(steps: Sequence[Step]) -> Sequence[Step]:
    if len({step.key for step in steps}) < len(steps):
        raise ValueError("two steps have the same key")
    return steps


Steps = Annotated[tuple[Step, ...], AfterValidator(_distinct), Field(min_length=1, max_length=50)]


class Plan(PlanValues):
    """How a kind of crisis is met."""

    title: Title = Field(description="What the crisis is called.", examples=["客户信息泄露"])
    summary: Text = Field(
        default="",
        description="When the plan applies.",
        examples=["群内或群外出现客户信息泄露，或有客户反映信息被泄露时启用。"],
    )
    mode: GroupMode = Field(
        default=GroupMode.NORMAL, description="The mode that the groups take at the opening.", examples=["quiet"]
    )
    mode_minutes: Minutes = Field(default=240, description="How long such a mode lasts at most.", examples=[240])
    announcements: Announcements = Field(default=Announcements(), description="What is sent when the mode changes.")
    steps: Steps = Field(description="What is to be done, in its order.")
    remind_minutes: Minutes = Field(
        default=5, description="How long before a step is due its owner is reminded.", examples=[5]
    )
    escalation_role: Title = Field(
        default="应急负责人", description="Who is told of an overdue step, as a role.", examples=["应急负责人"]
    )
    escalation_id: Id | None = Field(
        default=None, description="Who is told of an overdue step, as a member id of the channel.", examples=["staff-1"]
    )
    trigger: Trigger | None = Field(default=None, description="When such an incident is proposed by itself.")

    def step(self, key: str) -> Step | None:
        """The step of this key."""
        return next((step for step in self.steps if step.key == key), None)


class StepChange(PlanValues):
    """What a review wants to be otherwise: a step that is changed, added or taken out."""

    key: StepKey = Field(description="Which step; one that is not there yet is added.", examples=["verify"])
    remove: bool = Field(default=False, description="Whether to take it out.", examples=[False])
    title: Title | None = Field(default=None, description="Its new title.", examples=["核实情况并留存证据"])
    detail: Text | None = Field(default=None, description="How it is done.", examples=["截图存证。"])
    owner_role: Title | None = Field(default=None, description="Who does it.", examples=["合规专员"])
    due_minutes: Minutes | None = Field(default=None, description="When it is due.", examples=[10])


class UnfitChangeError(ValueError):
    """The changes of the steps do not fit the plan."""


def revised(plan: Plan, changes: Sequence[StepChange]) -> Plan:
    """The plan with the changes made; raises UnfitChangeError."""
    steps = {step.key: step for step in plan.steps}
    for change in changes:
        if change.remove:
            if steps.pop(change.key, None) is None:
                raise UnfitChangeError(f"there is no step {change.key} to take out")
            continue
        fresh = change.model_dump(exclude={"key", "remove"}, exclude_none=True)
        known = steps.get(change.key)
        if known is not None:
            steps[change.key] = known.model_copy(update=fresh)
        elif {"title", "owner_role", "due_minutes"} <= fresh.keys():
            steps[change.key] = Step(key=change.key, **fresh)
        else:
            raise UnfitChangeError(f"the new step {change.key} needs title, owner_role and due_minutes")
    if not steps:
        raise UnfitChangeError("no step would be left")
    if len(steps) > 50:
        raise UnfitChangeError("a plan has at most 50 steps")
    return plan.model_copy(update={"steps": tuple(steps.values())})

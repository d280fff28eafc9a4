"""Incident plans: how a kind of crisis is met, step by step. Operators write plans as data. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from huiqun.contracts.envelope import Id
from huiqun.contracts.moderation import GroupMode
from huiqun.privacy.text import ComparedText, MaskedText
from huiqun.versions.model import Version
from moderation.modes.model import ModeAnnouncements, ModeMinutes

PlanKind = Annotated[str, ComparedText(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
StepKey = Annotated[str, ComparedText(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
ShortText = Annotated[str, MaskedText(strip_whitespace=True, min_length=1, max_length=100)]
RequiredText = Annotated[str, MaskedText(strip_whitespace=True, min_length=1, max_length=2_000)]
OptionalText = Annotated[str, MaskedText(max_length=2_000)]
StepMinutes = Annotated[int, Field(ge=1, le=10_080)]
MAX_STEPS: Final = 50


class PlanValues(BaseModel):
    """Values an operator writes: a field that is not known is an error, because it would do nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PlanStep(PlanValues):
    """Something that somebody has to do in time; doing it may set the groups' mode and post a message."""

    key: StepKey = Field(description="Name of the step within the plan.", examples=["verify"])
    title: ShortText = Field(
        description="Title of the step: what is to be done, in a few words.", examples=["核实情况"]
    )
    detail: OptionalText = Field(
        default="",
        description="Instructions for the step: how it is done.",
        examples=["向当事客户了解时间、渠道和内容。"],
    )
    owner_role: ShortText = Field(description="Role of the person who does the step.", examples=["群主"])
    owner_id: Id | None = Field(
        default=None, description="Member id, in the channel, of the person who does the step.", examples=["staff-7"]
    )
    due_minutes: StepMinutes = Field(
        description="Minutes from the opening of the incident until the step is due.", examples=[15]
    )
    mode: GroupMode | None = Field(
        default=None, description="Mode that the groups enter when the step is done.", examples=["quiet"]
    )
    message: RequiredText | None = Field(
        default=None,
        description="Message that is sent in the groups when the step is done.",
        examples=["我们正在核实有关情况。"],
    )


class PlanTrigger(PlanValues):
    """When to propose an incident: so many blocked messages in so many minutes."""

    blocks: int = Field(ge=2, le=100_000, description="Number of blocked messages that is a jump.", examples=[20])
    minutes: int = Field(
        ge=1, le=1_440, description="Minutes within which the messages have to be blocked.", examples=[10]
    )
    scope: Literal["group", "all"] = Field(
        default="group",
        description="Whether messages are counted in each group, or over all groups together.",
        examples=["group"],
    )

    def triggered_groups(self, blocked: Mapping[str, int]) -> dict[str, int]:
        """The groups to propose an incident in, each with the number of messages that gives rise to it.

        `blocked` has the number of blocked messages by group. Over all groups together it is the group where most were
        blocked, with the sum.
        """
        if self.scope == "group":
            return {group_id: number for group_id, number in blocked.items() if number >= self.blocks}
        together = sum(blocked.values())
        return {max(blocked, key=lambda group_id: blocked[group_id]): together} if together >= self.blocks else {}


def _with_distinct_keys(steps: Sequence[PlanStep]) -> Sequence[PlanStep]:
    if len({step.key for step in steps}) < len(steps):
        raise ValueError("two steps have the same key")
    return steps


PlanSteps = Annotated[
    tuple[PlanStep, ...], AfterValidator(_with_distinct_keys), Field(min_length=1, max_length=MAX_STEPS)
]


class IncidentPlan(PlanValues):
    """How a kind of crisis is met."""

    title: ShortText = Field(description="Name of the crisis, for people.", examples=["客户信息泄露"])
    summary: OptionalText = Field(
        default="",
        description="Situation in which the plan applies.",
        examples=["群内或群外出现客户信息泄露，或有客户反映信息被泄露时启用。"],
    )
    mode: GroupMode = Field(
        default=GroupMode.NORMAL,
        description="Mode that the groups enter when the incident is opened.",
        examples=["quiet"],
    )
    mode_minutes: ModeMinutes = Field(
        default=240, description="Minutes that a mode of the incident lasts at most.", examples=[240]
    )
    announcements: ModeAnnouncements = Field(
        default=ModeAnnouncements(), description="Messages that are sent in the groups when their mode changes."
    )
    steps: PlanSteps = Field(description="Steps to be done, in their order.")
    remind_minutes: StepMinutes = Field(
        default=5, description="Minutes before a step is due at which its owner is reminded.", examples=[5]
    )
    escalation_role: ShortText = Field(
        default="应急负责人",
        description="Role of the person who is told of an overdue step.",
        examples=["应急负责人"],
    )
    escalation_id: Id | None = Field(
        default=None,
        description="Member id, in the channel, of the person who is told of an overdue step.",
        examples=["staff-1"],
    )
    trigger: PlanTrigger | None = Field(
        default=None, description="Jump of blocked messages at which the incident is proposed; null for none."
    )

    def find_step(self, key: str) -> PlanStep | None:
        """The step of this key, None if there is none."""
        return next((step for step in self.steps if step.key == key), None)


class PlanStepChange(PlanValues):
    """What a review wants to be otherwise: a step that is changed, added or taken out."""

    key: StepKey = Field(
        description="Key of the step to change; a step that is not there yet is added.", examples=["verify"]
    )
    remove: bool = Field(default=False, description="Whether to take the step out of the plan.", examples=[False])
    title: ShortText | None = Field(default=None, description="New title of the step.", examples=["核实情况并留存证据"])
    detail: OptionalText | None = Field(
        default=None, description="New instructions for the step.", examples=["截图存证。"]
    )
    owner_role: ShortText | None = Field(
        default=None, description="New role of the person who does the step.", examples=["合规专员"]
    )
    due_minutes: StepMinutes | None = Field(
        default=None,
        description="New number of minutes from the opening of the incident until the step is due.",
        examples=[10],
    )


class InvalidStepChangeError(ValueError):
    """The changes of the steps do not fit the plan."""


def apply_step_changes(plan: IncidentPlan, changes: Sequence[PlanStepChange]) -> IncidentPlan:
    """The plan with the changes made; raises InvalidStepChangeError."""
    steps = {step.key: step for step in plan.steps}
    for change in changes:
        if change.remove:
            if steps.pop(change.key, None) is None:
                raise InvalidStepChangeError(f"there is no step {change.key} to take out")
            continue
        fresh = change.model_dump(exclude={"key", "remove"}, exclude_none=True)
        known = steps.get(change.key)
        if known is not None:
            steps[change.key] = known.model_copy(update=fresh)
        elif {"title", "owner_role", "due_minutes"} <= fresh.keys():
            steps[change.key] = PlanStep(key=change.key, **fresh)
        else:
            raise InvalidStepChangeError(f"the new step {change.key} needs title, owner_role and due_minutes")
    if not steps:
        raise InvalidStepChangeError("no step would be left")
    if len(steps) > MAX_STEPS:
        raise InvalidStepChangeError(f"a plan has at most {MAX_STEPS} steps")
    return plan.model_copy(update={"steps": tuple(steps.values())})


def plan_of_version(version: Version) -> IncidentPlan:
    """The plan that a version says."""
    return IncidentPlan(**version.content)


def plan_content(plan: IncidentPlan) -> dict[str, Any]:
    """What a version says of a plan, as JSON values."""
    return plan.model_dump(mode="json")

"""What a policy says about the roster: when it is checked against the authorised staff."""

from pydantic import Field

from moderation.policies.sections.schedules import Schedule
from moderation.policies.sections.section import PolicySection
from moderation.policies.sections.texts import Phrase


class RosterRule(PolicySection):
    """The roster is checked against the list of authorised staff; the group's owner is told what was found."""

    schedule: Schedule = Field(
        default="0 9 * * MON",
        description="Schedule of the checks, a cron expression in the group's time zone.",
        examples=["0 9 * * MON"],
    )
    staff_words: tuple[Phrase, ...] = Field(
        default=("官方", "客服", "经理", "工作人员", "管理员", "群主", "行长", "理财师", "小助手"),
        max_length=100,
        description="Words that make a customer's name look like that of staff.",
        examples=[["官方", "客服", "经理"]],
    )

"""What a policy says about members: the rules and how they are made known, welcome, consent, roster, leaving."""

from typing import Annotated

from pydantic import AfterValidator, Field

from huiqun.privacy.text import ComparedText, MaskedText
from moderation.policies.model.values import Outcome, Schedule, Values, with_fields

_LEAST_LETTERS = 2

Words = Annotated[str, MaskedText(min_length=1, max_length=2_000)]
RulesText = Annotated[str, MaskedText(min_length=1, max_length=5_000)]
Url = Annotated[str, ComparedText(max_length=500, pattern=r"^https?://[^\s<>\"]+$")]


def _says_something(phrase: str) -> str:
    if sum(map(str.isalnum, phrase)) < _LEAST_LETTERS:
        raise ValueError("a phrase has at least two letters, Han characters or digits")
    return phrase


Phrase = Annotated[str, ComparedText(max_length=40), AfterValidator(_says_something)]


class WelcomeRule(Values):
    """Greet newcomers: those of a short window together, in one message."""

    text: Annotated[Words, with_fields("name", "group", "rules_url")] = Field(
        default="欢迎 {name} 加入{group}！",
        description="The greeting; may hold {name}, {group} and {rules_url}.",
        examples=["欢迎 {name} 加入{group}！"],
    )
    window_seconds: int = Field(default=30, ge=1, le=3_600, description="How long newcomers gather.", examples=[30])
    with_rules: bool = Field(default=True, description="Whether the rules follow the greeting.", examples=[True])
    guide: Words | None = Field(
        default=None, description="How the group is used.", examples=["提问请 @小惠，工作日 9:00-18:00 有专人解答。"]
    )
    safety: Words | None = Field(
        default="安全提示：请勿在群内发送身份证号、银行卡号、密码或验证码；工作人员不会索要密码和验证码，也不会要求转账。",
        description="What members should know to keep safe.",
        examples=["安全提示：请勿在群内发送身份证号或银行卡号。"],
    )


class ConsentRule(Values):
    """Newcomers are asked to agree to the rules, by a reply in the group or on a page."""

    phrases: tuple[Phrase, ...] = Field(
        default=("我已阅读并同意", "已阅读并同意", "本人已阅读并同意", "我已阅读并同意群规"),
        min_length=1,
        max_length=20,
        description="Replies that count, whatever their spaces, punctuation and script; the first is asked for.",
        examples=[["我已阅读并同意"]],
    )
    ask: Annotated[Words, with_fields("phrase", "group", "rules_url")] | None = Field(
        default=None,
        description="How members are asked in the group; may hold {phrase}, {group} and {rules_url}. Without it they "
        "are asked to reply with the first phrase, or, where each gets a page, to open that.",
        examples=["请阅读群规，并在群内回复“{phrase}”。"],
    )
    by_link: bool = Field(
        default=False, description="Whether each newcomer also gets a page to agree on, in private.", examples=[True]
    )
    link_hours: int = Field(default=72, ge=1, le=8_760, description="How long such a link is good.", examples=[72])
    remind_after_hours: float = Field(
        default=24, ge=1, le=8_760, description="When to remind, and how long until the next time.", examples=[24]
    )
    reminders: int = Field(default=2, ge=0, le=10, description="Private reminders to a member at most.", examples=[2])
    verdict: Outcome | None = Field(
        default=None,
        description="On what customers write who have not agreed in time; without one they may go on.",
        examples=["warn"],
    )
    grace_hours: float = Field(
        default=24, ge=0, le=8_760, description="How long after being asked they may write all the same.", examples=[24]
    )
    renew: bool = Field(
        default=False,
        description="Whether changed rules ask those again who agreed to others, and those never asked.",
        examples=[False],
    )


class PostingRule(Values):
    """The rules are posted in the group."""

    schedule: Schedule | None = Field(
        default=None,
        description="When, as a cron expression in the group's time zone.",
        examples=["0 10 * * MON"],
    )
    on_change: bool = Field(default=True, description="Whether they are also posted when they change.", examples=[True])


class RosterRule(Values):
    """The roster is checked against the list of authorised staff; the group's owner is told what was found."""

    schedule: Schedule = Field(
        default="0 9 * * MON",
        description="When, as a cron expression in the group's time zone.",
        examples=["0 9 * * MON"],
    )
    staff_words: tuple[Phrase, ...] = Field(
        default=("官方", "客服", "经理", "工作人员", "管理员", "群主", "行长", "理财师", "小助手"),
        max_length=100,
        description="What makes a customer's name look like that of staff.",
        examples=[["官方", "客服", "经理"]],
    )


class PatrolRule(Values):
    """The group is gone through; its owner is told what happened since the last time, and what waits for a person."""

    schedule: Schedule = Field(
        default="0 9,18 * * *",
        description="When, as a cron expression in the group's time zone.",
        examples=["0 9,18 * * *"],
    )


class LeavingRule(Values):
    """Who asks how to leave is told, once in a while for the whole group."""

    phrases: tuple[Phrase, ...] = Field(
        default=("退群", "我要退群", "我想退群", "怎么退群", "如何退群", "怎样退群", "退出群聊"),
        min_length=1,
        max_length=20,
        description="Questions that count in a short message; those of two or three characters only alone.",
        examples=[["退群", "怎么退群"]],
    )
    text: Words = Field(
        default="如需退群：点击右上角“…”，在页面底部选择“退出群聊”即可，不影响您的账户和业务。"
        "如需再次入群，请联系您的客户经理。",
        description="The answer.",
        examples=["如需退群：点击右上角“…”，选择“退出群聊”。"],
    )
    cooldown_minutes: int = Field(
        default=10, ge=1, le=1_440, description="Least time between two answers in a group.", examples=[10]
    )


class MembershipRules(Values):
    """Nothing of it is done unless it is written down."""

    rules_text: RulesText | None = Field(
        default=None, description="The rules of the group.", examples=["1. 文明交流。\n2. 不发广告。"]
    )
    rules_url: Url | None = Field(
        default=None, description="Where they stand in full.", examples=["https://bank.example.com/rules"]
    )
    welcome: WelcomeRule | None = Field(default=None, description="How newcomers are greeted.")
    consent: ConsentRule | None = Field(default=None, description="How members agree to the rules.")
    posting: PostingRule | None = Field(default=None, description="When the rules are posted.")
    roster: RosterRule | None = Field(default=None, description="When the roster is checked.")
    patrol: PatrolRule | None = Field(default=None, description="When the group is gone through.")
    leaving: LeavingRule | None = Field(default=None, description="What is said to who wants to leave.")

    @property
    def has_rules(self) -> bool:
        """Whether there is something to post and to agree to."""
        return self.rules_text is not None or self.rules_url is not None

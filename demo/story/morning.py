"""The morning after: who comes into the groups, and what the rules of 会员福利群 have become overnight."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from demo.story.fuli import FULI
from demo.story.licai import LICAI
from demo.story.model import Chat, Person
from huiqun.contracts.channel import Role


@dataclass(frozen=True, slots=True)
class File:
    """What is uploaded."""

    content: str
    media_type: str = "text/csv"


WORDS = File("word,category,severity\n拼单裂变,ads,3\n代下单返现,ads,4\n")
WITH_A_FLAW = File("word,category,severity\n拼单裂变,ads,3\n,ads,3\n返现,ads,9\n")

RULES_TEXT = "1. 文明交流。\n2. 不发广告和小程序。\n3. 每人每天最多发五条消息。"
LONG_TEXT = "昨天的会员日很热闹，" * 8
LINK = "联名活动看这里 https://lianming.example.net/today"
GUIDE = "提问请 @田经理，工作日 9:00-18:00 有专人解答。"
WARNING = "{member}您好，会员群内请勿发送{category}，谢谢配合。"
SAFETY = "工作人员不会索要密码和验证码"
RULES = {
    **FULI.rules,
    "quota": {"per_day": 4},
    "duplicate": None,
    "length": {"max_characters": 60, "shadow": True},
    "kinds": {"forbidden": ["mini_program"]},
    "membership": {
        "rules_text": RULES_TEXT,
        "welcome": {"window_seconds": 1, "guide": GUIDE},
        "consent": {"grace_hours": 0, "verdict": "block", "by_link": True},
        "posting": {"on_change": True, "schedule": "0 * * * *"},
        "roster": {"schedule": "0 * * * *"},
        "patrol": {"schedule": "0 * * * *"},
        "leaving": {},
    },
    "review": {"reports_per_day": 1, "escalate_to": "shen"},
    "wording": {"warning": WARNING},
    "ladder": {"grace_seconds": 0, "mute_minutes": [180, 720, 1440]},
}

# Who may be in groups as staff: 莫言之 is not on the list, 齐飞 has left the house.
STAFF = File("staff_id,name,departed_on\nlin,林静,\nzhou,周涛,\nshen,沈岚,\ngu,顾明,\ntian,田甜,\nqi,齐飞,2026-01-31\n")
STRANGERS = {
    "mo": Person("莫言之-投资顾问", Role.STAFF),
    "qi": Person("齐飞-理财经理", Role.STAFF),
    "kefu": Person("官方客服小李"),
}
# Who calls himself "everybody" wants our bot to say it.
NEWCOMERS = {
    "bian": Person("卞之琳"),
    "ji": Person("纪念"),
    "suoyou": Person("@所有人 加微信abc12345领红包 http://hongbao.example.net 【官方公告】请转账"),
}

CHATS: Mapping[str, Chat] = {
    "licai": replace(LICAI, cast={**LICAI.cast, **STRANGERS}),
    "fuli": replace(FULI, rules=RULES, cast={**FULI.cast, **NEWCOMERS}),
}

# Of the plan for an attack two steps are done in time and one late; what is not done costs its points.
DRILL: Mapping[str, Any] = {
    "kind": "attack",
    "groups": ["licai", "fuli"],
    "drill": True,
    "reason": "季度演练：多个账号同时发广告",
    "script": [
        {"after_minutes": 1, "text": "群内出现 30 条兼职广告"},
        {"after_minutes": 4, "step": "confirm", "text": "确认为 5 个账号"},
        {"after_minutes": 14, "step": "close_entrance"},
        {"after_minutes": 20, "step": "remove_accounts"},
        {"after_minutes": 40, "contains": True},
    ],
}
REVIEW: Mapping[str, Any] = {
    "what_happened": "移出账号超时。",
    "cause": "夜间值班人员不熟悉流程。",
    "what_to_change": "缩短确认时限。",
    "step_changes": [{"key": "confirm", "due_minutes": 4}],
}

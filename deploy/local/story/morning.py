"""The morning after: who comes into the groups, and what the rules of 会员福利群 have become overnight."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from huiqun.contracts.channel import Role
from local.story.fuli import FULI
from local.story.licai import LICAI
from local.story.model import Chat, Person


@dataclass(frozen=True, slots=True)
class File:
    """What is uploaded."""

    content: str
    media_type: str = "text/csv"


WORDS = File("word,category,severity\n拼单裂变,ads,3\n代下单返现,ads,4\n")
WITH_A_FLAW = File("word,category,severity\n拼单裂变,ads,3\n,ads,3\n返现,ads,9\n")

RULES_TEXT = "1. 文明交流。\n2. 不发广告和小程序。\n3. 每人每天最多发五条消息。"
RULES = {
    **FULI.rules,
    "kinds": {"forbidden": ["mini_program"]},
    "membership": {
        "rules_text": RULES_TEXT,
        "welcome": {"window_seconds": 1},
        "consent": {"grace_hours": 0, "verdict": "block"},
        "posting": {"on_change": True},
        "roster": {},
        "leaving": {},
    },
}

# Who may be in groups as staff: 莫言之 is not on the list, 齐飞 has left the house.
STAFF = File("staff_id,name,departed_on\nlin,林静,\nzhou,周涛,\nshen,沈岚,\ngu,顾明,\ntian,田甜,\nqi,齐飞,2026-01-31\n")
STRANGERS = {
    "mo": Person("莫言之-投资顾问", Role.STAFF),
    "qi": Person("齐飞-理财经理", Role.STAFF),
    "kefu": Person("官方客服小李"),
}
NEWCOMER = {"bian": Person("卞之琳")}

CHATS: Mapping[str, Chat] = {
    "licai": replace(LICAI, cast={**LICAI.cast, **STRANGERS}),
    "fuli": replace(FULI, rules=RULES, cast={**FULI.cast, **NEWCOMER}),
}

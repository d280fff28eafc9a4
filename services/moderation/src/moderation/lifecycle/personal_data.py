"""What is remembered of changes that came before their messages: who made them."""

from datetime import timedelta
from typing import Final

from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.privacy.erasure.holdings import unsearched_holding
from moderation.lifecycle.store import EARLY_CHANGES

EARLY_CHANGE_HOLDINGS: Final = (
    unsearched_holding(
        "先于消息到达的修改与撤回：成员编号",
        (EARLY_CHANGES,),
        "消息到达时须据此处理",
        CHANNEL_MESSAGES.retention + timedelta(days=1),
    ),
)

"""惠民支行客户服务群: after-sales on WeCom, where the channel itself can neither delete nor mute."""

from local.story.huimin.afternoon import AFTERNOON
from local.story.huimin.group import CARD, CAST, GROUP, ID_CARD, RULES
from local.story.huimin.midday import MIDDAY
from local.story.huimin.morning import MORNING
from local.story.model import Chat

HUIMIN = Chat(GROUP, "after-sales", RULES, CAST, (*MORNING, *MIDDAY, *AFTERNOON))

__all__ = ["CARD", "HUIMIN", "ID_CARD"]

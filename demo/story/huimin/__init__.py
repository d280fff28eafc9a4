"""惠民支行客户服务群: after-sales on WeCom, where the channel itself can neither delete nor mute."""

from demo.story.huimin.afternoon import AFTERNOON
from demo.story.huimin.group import CARD, CAST, GROUP, ID_CARD, RULES
from demo.story.huimin.midday import MIDDAY
from demo.story.huimin.morning import MORNING
from demo.story.model import Chat

HUIMIN = Chat(GROUP, "after-sales", RULES, CAST, (*MORNING, *MIDDAY, *AFTERNOON))

__all__ = ["CARD", "HUIMIN", "ID_CARD"]

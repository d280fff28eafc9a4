"""Who is in 惠民支行客户服务群, what its channel can do, and its rules."""

from demo.story.model import Person
from demo.story.numbers import bank_card, id_card
from huiqun.contracts.channel import Capabilities, Group, Purpose, Role, Support

ID_CARD = id_card("19580214", "002")
CARD = bank_card("620000000000000")

GROUP = Group(
    group_id="huimin",
    name="惠民支行客户服务群",
    owner="lin",
    purpose=Purpose.AFTER_SALES,
    tags=("支行", "售后"),
    capabilities=Capabilities(
        send=Support.STAFF_TASK, mute=Support.NONE, remove=Support.STAFF_TASK, delete=Support.NONE
    ),
)

RULES = {
    "quota": {"per_day": 12},
    "length": {"max_characters": 200, "max_seconds": 60},
    "quiet_hours": {"start": "22:00:00", "end": "07:30:00"},
    "probation": {"hours": 0, "messages": 2},
    "links": {"allowed_domains": ["huimin.example.com"]},
    "staff": {"categories": {"promise": "review", "impolite": "warn", "ads": "warn"}},
    "classifier": {"threshold": 0.9},
    "ladder": {"grace_seconds": 0},
}

CAST = {
    "lin": Person("林静-客户经理", Role.STAFF),
    "zhou": Person("周涛-大堂经理", Role.STAFF),
    "xiaohui": Person("小惠助手", Role.BOT),
    "wang": Person("王秀英", external_ids={"unionid": "oHm-wang"}),
    "zhang": Person("张建国", external_ids={"unionid": "oHm-zhang"}),
    "li": Person("李丽", external_ids={"unionid": "oHm-li"}),
    "chen": Person("陈晨"),
    "liu": Person("刘洋"),
    "zhao": Person("赵敏"),
    "sun": Person("孙大伟"),
    "wu": Person("吴小燕"),
    "gao": Person("高翔"),
    "feng": Person("冯桂兰"),
    "qian": Person("钱多多"),
    "ma": Person("马强"),
    "xu": Person("许诺"),
    "ren": Person("任新", joins_later=True),
    "he": Person("何雨", joins_later=True, external_ids={"unionid": "oHm-he"}),
}

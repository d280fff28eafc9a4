"""Messages as customer groups of a bank write them: made from templates, the same ones for the same seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from huiqun.contracts.catalog import encode_event
from huiqun.contracts.channel import Capabilities, Group, Message, MessageReceived, Sender, Support
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.kafka.publisher import CONTENT_TYPE, Record

GROUPS = 300
MEMBERS_OF_A_GROUP = 20
# One message in twenty breaks a rule: a word of the lexicon, a contact, a link, or personal data.
OFFENCE_EVERY = 20

_FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
# So far apart that nobody floods and nobody repeats themselves within the ten minutes of the rule.
_BETWEEN = timedelta(seconds=2)

_OPENINGS = (
    "你好，",
    "您好，",
    "请问一下，",
    "想咨询下，",
    "大家好，",
    "小助手在吗？",
    "经理，",
    "早上好，",
    "各位，",
    "",
)
_MATTERS = (
    "{product}的{term}利率现在是多少",
    "我上周办的{product}今天还没有到账，能帮忙看看是什么原因吗",
    "{branch}周末上班吗，想去换一张卡",
    "手机银行登录的时候一直提示系统繁忙，换了网络也不行",
    "{product}到期以后会自动转存吗，还是要自己去操作",
    "积分可以兑换{gift}吗？活动到{day}号截止对不对",
    "上个月的账单里有一笔{amount}元的年费，是怎么收的",
    "孩子上学要开{paper}，需要带哪些材料",
    "刚才客服电话排队排了{amount}多分钟，还是没有接通",
    "{branch}的停车场今天开放吗",
    "昨天领的{gift}已经收到了，谢谢群主",
    "{term}的{product}和{other}比，哪个更适合老人",
    "转账限额怎么调高，柜台和手机上都能办吗",
    "收到一条短信说我的{product}快到期了，是真的吗",
    "今天的早报看了，{product}的额度还剩多少",
    "信用卡分期{amount}元，提前还款要手续费吗",
)
_CLOSINGS = ("？", "，谢谢！", "，麻烦了🙏", "。", "，多谢~", "，在线等😊", "……", "，辛苦啦", "！", "")
_FILLS = {
    "product": ("定期存款", "大额存单", "活期理财", "住房贷款", "信用卡", "零钱宝", "养老储蓄", "国债"),
    "other": ("货币基金", "三年期国债", "通知存款", "结构性存款"),
    "term": ("三个月", "半年期", "一年期", "两年期", "三年期", "五年期"),
    "branch": ("人民路支行", "高新区支行", "滨江支行", "火车站网点", "南山支行", "城东营业部"),
    "gift": ("电影票", "洗车券", "话费", "咖啡券", "视频会员", "大米"),
    "paper": ("存款证明", "流水", "收入证明", "资信证明"),
}
_OFFENCES = (
    "诚招代理，日结工资，有兴趣的来",
    "内部消息，跟着老师做，稳赚不赔",
    "需要的加我微信 {letter}lk{number}",
    "点这里领福利 https://fuli{number}.xyz/a",
    "我的手机号是 138{number}5，给我回个电话",
    "你是不是傻逼，说了多少遍了",
    "加薇 {letter}bc{number}，带你回血",
)


@dataclass(frozen=True, slots=True)
class Mix:
    """What a run of messages is like: its seed, and that one in `offence_every` breaks a rule."""

    seed: int = 3
    offence_every: int = OFFENCE_EVERY


def groups() -> list[Group]:
    """The groups of the messages, in a channel that carries out by itself whatever it is asked."""
    native = Support.NATIVE
    able = Capabilities(send=native, mute=native, remove=native, delete=native)
    return [Group(group_id=_group_id(n), name=f"客户群{n}", owner="staff", capabilities=able) for n in range(GROUPS)]


def messages(count: int, mix: Mix = Mix()) -> list[MessageReceived]:
    """So many messages, 400 to 550 bytes each in their envelope, over 300 groups and 6,000 members."""
    chance = random.Random(mix.seed)
    return [_message(chance, number, offends=number % mix.offence_every == 0) for number in range(count)]


def records(events: Sequence[MessageReceived]) -> list[Record]:
    """The messages as a channel puts them on their topic."""
    return [Record(CHANNEL_MESSAGES.name, e.subject.encode(), encode_event(e), (CONTENT_TYPE,)) for e in events]


def _message(chance: random.Random, number: int, *, offends: bool) -> MessageReceived:
    # Some groups are livelier than others: the square of an even spread leans to the first ones.
    group = int(GROUPS * chance.random() ** 2)
    member = chance.randrange(MEMBERS_OF_A_GROUP)
    at = _FIRST_DAY + number * _BETWEEN
    data = Message(
        message_id=f"m{number:07d}",
        group_id=_group_id(group),
        sender=Sender(member_id=f"u{group:03d}{member:02d}", display_name=f"客户{group * member % 997}"),
        text=_text(chance, offends=offends),
        sent_at=at,
    )
    return MessageReceived(id=f"e{number:07d}", source="wecom/bank", time=at, subject=data.group_id, data=data)


def _group_id(number: int) -> str:
    return f"g{number:03d}"


def _text(chance: random.Random, *, offends: bool) -> str:
    fills: dict[str, object] = {name: chance.choice(values) for name, values in _FILLS.items()}
    fills |= {"amount": chance.randrange(10, 900), "day": chance.randrange(1, 29)}
    fills |= {"number": chance.randrange(10**6, 10**7), "letter": chance.choice("abcdefgh")}
    matter = chance.choice(_OFFENCES if offends else _MATTERS).format(**fills)
    return chance.choice(_OPENINGS) + matter + chance.choice(_CLOSINGS)

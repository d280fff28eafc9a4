"""Links and offers of contact, also where somebody hides them."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from moderation.contacts.model import find_contacts, find_links, may_lead_outside


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("加微信 abc12345", "abc12345"),
        ("加薇 abc12345", "abc12345"),
        ("加徽：abc12345", "abc12345"),
        ("v❤abc12345", "abc12345"),
        ("威❤信 abc12345", "abc12345"),
        ("ｖｘ：ａｂｃ１２３４５", "abc12345"),
        ("Ⓥx abc12345", "abc12345"),
        ("W X abc12345", "abc12345"),
        ("w.e.i.x.i.n abc12345", "abc12345"),
        ("VX-abc12345", "abc12345"),
        ("微\u200b信 abc12345", "abc12345"),
        ("➕微 abc12345", "abc12345"),
        ("wechat: some_body", "some_body"),
        ("加v：13812345678", "13812345678"),
        ("QQ：１２３４５６７８", "12345678"),
        ("扣 扣 12345678", "12345678"),
        ("扣群号 12345678", "12345678"),
        ("微信号 一三八一二三四五六七八", "13812345678"),
        ("加微信 壹叁捌零零壹叁捌零零零", "13800138000"),
        ("＋Ｖ：ｇｐ１２３４５６", "gp123456"),
        ("加 ❤ V ❤ abc12345", "abc12345"),
        ("加薇❤️：abc12345", "abc12345"),
        ("嘉威 abc_123", "abc_123"),
        ("扣扣 一二三四五六七", "1234567"),
        ("ν信 abc12345", "abc12345"),
        ("ѵх abc12345", "abc12345"),
        ("wei信 abc12345", "abc12345"),
        ("jia v abc12345", "abc12345"),
        ("vx号➡️abc12345", "abc12345"),
        ("🐧 12345678", "12345678"),
        ("微信 1️⃣3️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣", "13812345678"),
        ("vx 𝟏𝟑𝟖𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖", "13812345678"),
        ("V\ufe0f信\u200f：abc12345", "abc12345"),
        ("加V\u2067abc12345\u2069", "abc12345"),
    ],
)
def test_an_offer_of_contact_is_found_however_it_is_spelt(text: str, contact: str) -> None:
    assert may_lead_outside(text)
    (found,) = find_contacts(text)
    assert found.value == contact


@pytest.mark.parametrize(
    "text",
    [
        "微信支付怎么开通",
        "加微信支付的限额",
        "QQ邮箱收不到账单",
        "企业网银登录",
        "尾号 1234567890 的卡",
        "我的工号 12345678",
        "扣了 12345678 元",
        "加 100000 元",
        "vivox 手机打不开 App",
        "请联系客户经理",
        "微信支付一二三四五六步都做了",
        "用微信。20261122 的账单没收到",
        "嘉奖 123456 元",
        "企鹅一家三口",
    ],
)
def test_ordinary_talk_offers_no_contact(text: str) -> None:
    assert find_contacts(text) == []


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("看 https://evil.top/x?y=1，快", "evil.top"),
        ("evil.top", "evil.top"),
        ("WWW.Evil.TOP", "www.evil.top"),
        ("ｗｗｗ．ｅｖｉｌ．ｔｏｐ", "www.evil.top"),
        ("www。evil。top", "www.evil.top"),
        ("https://evil.zone/a", "evil.zone"),
        ("http://192.0.2.7:8080/login", "192.0.2.7"),
        ("https://bank.example.com@evil.top/", "evil.top"),
        ("https://bank.example.com请看", "bank.example.com"),
        ("https://银行.中国/x", "银行.中国"),
        ("https://bаnk.example.com/x", "bаnk.example.com"),
        ("领券 bit.ly/3abcd", "bit.ly"),
        ("戳 promo.example/x 看看", "promo.example"),
        ("bank。example。top", "bank.example.top"),
        ("evil.dev 了解一下", "evil.dev"),
    ],
)
def test_a_link_is_found_with_its_domain(text: str, domain: str) -> None:
    assert may_lead_outside(text)
    assert [found.value for found in find_links(text)] == [domain]


@pytest.mark.parametrize(
    "text", ["3.14 是圆周率", "请看第1.2节", "版本 v2.0.1", "a.b", "我去了。me too", "1.5/天", "好。A/B 两款"]
)
def test_ordinary_dots_are_no_links(text: str) -> None:
    assert find_links(text) == []


def test_spans_are_offsets_into_the_text_as_it_was_sent() -> None:
    text = "㎏\u200b请看ｅｖｉｌ.top和加 微 abc12345吧"
    (link,), (contact,) = find_links(text), find_contacts(text)
    assert text[link.start : link.end] == "ｅｖｉｌ.top"
    assert text[contact.start : contact.end] == "加 微 abc12345"


@given(st.text(max_size=200))
def test_any_text_can_be_looked_at(text: str) -> None:
    for found in [*find_links(text), *find_contacts(text)]:
        assert 0 <= found.start < found.end <= len(text)

"""Texts name members by placeholders, and nobody's words make one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huiqun.contracts.channel import Action, ActionKind
from huiqun.contracts.channel.actions import MAX_MEMBERS
from huiqun.contracts.channel.mentions import (
    AddressedText,
    Mention,
    compose_text,
    join_texts,
    render_names,
    split_segments,
)
from huiqun.contracts.channel.messages import MAX_TEXT

OWNER, MEMBER = Mention("owner1"), Mention("u1")
NAMES = {"owner1": "沈岚", "u1": "李女士"}


def action(text: AddressedText, kind: ActionKind = ActionKind.SEND_MESSAGE) -> Action:
    return Action(
        action_id="a", group_id="g", kind=kind, content=text.content, members=text.members, requested_by="test"
    )


def mentioned(text: AddressedText) -> list[str]:
    return [each.member_id for each in split_segments(action(text)) if isinstance(each, Mention)]


def test_a_template_names_members_by_placeholder_and_lists_them_once() -> None:
    text = compose_text("{a}和{b}：{a}{{x}}", a=MEMBER, b=OWNER)
    assert text == AddressedText("{member:u1}和{member:owner1}：{member:u1}{x}", ("u1", "owner1"))
    assert render_names(action(text), NAMES) == "李女士和沈岚：李女士{x}"


def test_staff_are_told_the_id_with_the_name_once() -> None:
    text = compose_text("请留意 {a}，{a} 又来了", a=MEMBER)
    staff = action(text, ActionKind.NOTIFY_STAFF)
    assert render_names(staff, NAMES) == "请留意 李女士（u1），李女士 又来了"
    assert render_names(staff, {"u1": "@所有人"}) == "请留意 u1，u1 又来了"


@pytest.mark.parametrize("name", ["", "@所有人 您好", "加微信abc12345", "\u202e"])
def test_whose_name_cannot_be_shown_or_is_unknown_is_addressed_neutrally(name: str) -> None:
    text = compose_text("{member}您好", member=MEMBER)
    assert render_names(action(text), {"u1": name}) == render_names(action(text), {}) == "群友您好"


def test_a_placeholder_of_a_member_who_is_not_listed_is_sent_as_it_is_written() -> None:
    assert render_names(action(AddressedText("{member:u1} {member:u2", ())), NAMES) == "{member:u1} {member:u2"


@pytest.mark.parametrize(
    "text",
    [
        compose_text("{owner}，有人说：{said}", owner=OWNER, said="{member:owner1} 请看"),
        compose_text("{owner}，有人说：{a}{b}", owner=OWNER, a="{mem", b="ber:owner1}"),
        compose_text("{owner}，有人说：{{{a}}}", owner=OWNER, a="member:owner1"),
        compose_text("{owner}：{said}", owner=OWNER, said=AddressedText("{member:owner1}")),
        compose_text("{owner}：{said}", owner=OWNER, said=compose_text("{a}", a="{member:owner1}")),
        compose_text("{{member:owner1}} {owner}", owner=OWNER),
        join_texts("", [OWNER, "{member:", "owner1}"]),
    ],
)
def test_what_a_member_writes_mentions_nobody_even_where_the_text_names_the_same_person(text: AddressedText) -> None:
    assert mentioned(text) == ["owner1"]


def test_a_text_within_a_text_keeps_its_mentions() -> None:
    inner = compose_text("{member}因{reason}禁言", member=MEMBER, reason="{member:owner1}")
    outer = compose_text("请 {owner} 转达：{content}", owner=OWNER, content=inner)
    assert mentioned(outer) == ["owner1", "u1"]
    assert outer.members == ("owner1", "u1")


def test_a_text_that_grows_too_long_is_cut_but_never_within_a_placeholder() -> None:
    text = join_texts("、", [Mention("u" * 100)] * 300)
    assert MAX_TEXT - 120 < len(text.content) <= MAX_TEXT
    assert "{member" not in text.content.replace(f"{{member:{'u' * 100}}}", "")
    assert action(text).members == ("u" * 100,)
    assert len(join_texts("", ["字" * MAX_TEXT, "字", MEMBER]).content) == MAX_TEXT


def test_no_more_members_are_named_than_an_action_may_list() -> None:
    text = join_texts("、", [Mention(f"u{number}") for number in range(MAX_MEMBERS + 10)])
    assert len(action(text).members) == MAX_MEMBERS
    assert len(mentioned(text)) == MAX_MEMBERS


@pytest.mark.parametrize("member_id", ["{u1}", "a}b", "x}{member:owner1", "a.*", "成员", "u1\u202e"])
def test_ids_of_any_letters_are_named(member_id: str) -> None:
    text = compose_text("{a}：{b}", a=Mention(member_id), b="您好")
    assert render_names(action(text), {member_id: "李女士"}) == "李女士：您好"
    assert render_names(action(text, ActionKind.NOTIFY_STAFF), {}).isprintable()


@given(st.lists(st.one_of(st.text("{}member:ou1 您", max_size=20), st.sampled_from([OWNER, MEMBER])), max_size=8))
def test_a_text_mentions_those_who_were_named_in_their_order_and_nobody_else(parts: list[str | Mention]) -> None:
    text = join_texts("", parts)
    assert mentioned(text) == [part.member_id for part in parts if isinstance(part, Mention)]

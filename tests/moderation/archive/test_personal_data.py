"""Who posted a number can be found, although the archive does not have the number."""

import pytest

from huiqun.audit import verify
from huiqun.privacy.detection import PersonalDataKind
from huiqun.privacy.keys import RotatingKey
from huiqun.privacy.masking import keyed_hash
from huiqun.store import Outside
from moderation.archive.handlers.lookup import Question, look_up
from moderation.archive.model import tokens_of
from moderation.archive.model.tokens import NoPersonalDataError
from tests.moderation.archive.records import archived
from tests.moderation.membership.community import HASH_KEY, Community

CARD = "6222021001122334409"
KEY = RotatingKey(HASH_KEY)


async def asked(
    community: Community,
    value: str,
    kind: PersonalDataKind = PersonalDataKind.BANK_CARD,
    key: RotatingKey = KEY,
) -> list[str]:
    """Who wrote it, as the archive answers an auditor."""
    question = Question(value, kind, None, 10)
    found = await community.commit(lambda work: look_up(work, question, key, "anna"))
    return [each.document["member_id"] for each in found]


async def test_a_find_is_kept_as_a_keyed_hash_with_its_kind(community: Community) -> None:
    await community.say(f"我的卡号 {CARD}，再说一遍 {CARD}，电话 13800138000")
    await community.say("大家好")
    (with_finds,) = await archived(community, personal={"$exists": True})
    assert with_finds["personal"] == [
        {"kind": "bank_card", "hash": keyed_hash(CARD, HASH_KEY)},
        {"kind": "mobile", "hash": keyed_hash("13800138000", HASH_KEY)},
    ]
    assert all(
        CARD not in str(document) and "13800138000" not in str(document) for document in await archived(community)
    )


async def test_who_posted_a_card_is_found_in_whatever_spelling(community: Community) -> None:
    await community.say(f"卡号{CARD}", member="u1")
    await community.pass_time(seconds=1)
    await community.say("卡号 6222 0210 0112 2334 409", member="u2", group="g2")
    await community.say("卡号 6222 0210 0112 2334 417", member="u3")
    assert await asked(community, CARD) == ["u1", "u2"]
    assert await asked(community, "６２２２-0210-0112-2334-409") == ["u1", "u2"]
    assert await asked(community, "13800138000", PersonalDataKind.MOBILE) == []


async def test_a_question_is_audited_with_the_hash_and_never_the_value(community: Community) -> None:
    await community.say(f"卡号{CARD}")
    await asked(community, CARD)
    (entry,) = await community.documents("audit_log")
    assert (entry["actor"], entry["action"]) == ("anna", "personal_data.looked_up")
    assert entry["detail"] == {"hash": keyed_hash(CARD, HASH_KEY), "found": 1}
    assert CARD not in str(entry)
    assert (await verify(Outside(community.transactor.database))).intact


@pytest.mark.parametrize("value", ["你好", "6222021001122334408", "13800138000", f"{CARD} {CARD[:-2]}17", ""])
def test_what_is_no_number_of_the_kind_cannot_be_asked_for(value: str) -> None:
    with pytest.raises(NoPersonalDataError):
        tokens_of(value, PersonalDataKind.BANK_CARD, RotatingKey(HASH_KEY))


def test_another_key_gives_another_hash() -> None:
    kind = PersonalDataKind.BANK_CARD
    assert tokens_of(CARD, kind, RotatingKey(b"one")) != tokens_of(CARD, kind, RotatingKey(b"other"))


async def test_what_was_hashed_under_the_key_before_is_found_while_it_is_known(community: Community) -> None:
    await community.say(f"卡号{CARD}")
    assert await asked(community, CARD, key=RotatingKey(b"a new key", HASH_KEY)) == ["u1"]
    assert await asked(community, CARD, key=RotatingKey(b"a new key")) == []

"""Who posted a number can be found, although the archive does not have the number."""

from datetime import timedelta

import pytest

from huiqun.audit import verify_audit_log
from huiqun.privacy.detection import PersonalDataKind
from huiqun.privacy.keys import RotatingKey
from huiqun.privacy.masking import keyed_hash
from moderation.archive.handlers.lookup import Question, look_up
from moderation.archive.model import tokens_of
from moderation.archive.model.tokens import NoPersonalDataError
from tests.moderation.archive.records import archived
from tests.moderation.rig import HASH_KEY, ModerationRig

CARD = "6222021001122334409"
KEY = RotatingKey(HASH_KEY)


async def asked(
    rig: ModerationRig,
    value: str,
    kind: PersonalDataKind = PersonalDataKind.BANK_CARD,
    key: RotatingKey = KEY,
) -> list[str]:
    """Who wrote it, as the archive answers an auditor."""
    question = Question(value, kind, None, 10)
    found = await rig.run(lambda work: look_up(work, question, key, "anna"))
    return [each.document["member_id"] for each in found]


async def test_a_find_is_kept_as_a_keyed_hash_with_its_kind(rig: ModerationRig) -> None:
    await rig.say_all(f"我的卡号 {CARD}，再说一遍 {CARD}，电话 13800138000")
    await rig.say_all("大家好")
    (with_finds,) = await archived(rig, personal={"$exists": True})
    assert with_finds["personal"] == [
        {"kind": "bank_card", "hash": keyed_hash(CARD, HASH_KEY)},
        {"kind": "mobile", "hash": keyed_hash("13800138000", HASH_KEY)},
    ]
    assert all(CARD not in str(document) and "13800138000" not in str(document) for document in await archived(rig))


async def test_who_posted_a_card_is_found_in_whatever_spelling(rig: ModerationRig) -> None:
    await rig.say_all(f"卡号{CARD}", member="u1")
    await rig.run_due(timedelta(seconds=1))
    await rig.say_all("卡号 6222 0210 0112 2334 409", member="u2", group="g2")
    await rig.say_all("卡号 6222 0210 0112 2334 417", member="u3")
    assert await asked(rig, CARD) == ["u1", "u2"]
    assert await asked(rig, "６２２２-0210-0112-2334-409") == ["u1", "u2"]
    assert await asked(rig, "13800138000", PersonalDataKind.MOBILE) == []


async def test_a_question_is_audited_with_the_hash_and_never_the_value(rig: ModerationRig) -> None:
    await rig.say_all(f"卡号{CARD}")
    await asked(rig, CARD)
    (entry,) = await rig.documents("audit_log")
    assert (entry["actor"], entry["action"]) == ("anna", "personal_data.looked_up")
    assert entry["detail"] == {"hash": keyed_hash(CARD, HASH_KEY), "found": 1}
    assert CARD not in str(entry)
    assert (await verify_audit_log(rig.reader)).intact


@pytest.mark.parametrize("value", ["你好", "6222021001122334408", "13800138000", f"{CARD} {CARD[:-2]}17", ""])
def test_what_is_no_number_of_the_kind_cannot_be_asked_for(value: str) -> None:
    with pytest.raises(NoPersonalDataError):
        tokens_of(value, PersonalDataKind.BANK_CARD, RotatingKey(HASH_KEY))


def test_another_key_gives_another_hash() -> None:
    kind = PersonalDataKind.BANK_CARD
    assert tokens_of(CARD, kind, RotatingKey(b"one")) != tokens_of(CARD, kind, RotatingKey(b"other"))


async def test_what_was_hashed_under_the_key_before_is_found_while_it_is_known(rig: ModerationRig) -> None:
    await rig.say_all(f"卡号{CARD}")
    assert await asked(rig, CARD, key=RotatingKey(b"a new key", HASH_KEY)) == ["u1"]
    assert await asked(rig, CARD, key=RotatingKey(b"a new key")) == []

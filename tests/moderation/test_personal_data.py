"""What becomes of the documents of moderation when somebody is erased, by the holdings of its slices."""

from datetime import timedelta
from typing import Any

from huiqun.contracts.fields import Account
from huiqun.contracts.privacy import ErasureResult, Outcome
from huiqun.privacy.erasure.model import Subject
from huiqun.testing.events import NOON
from huiqun.testing.rig import Rig
from moderation.documents import person_requests

SUBJECT = Subject((Account("channel", "u1"),), NOON)
BEFORE, AFTER = NOON - timedelta(days=1), NOON + timedelta(days=1)


async def put(rig: Rig, collection: str, **documents: dict[str, Any]) -> None:
    whose = {"group_id": "g1", "member_id": "u1"}
    await rig.database[collection].insert_many([{"_id": key, **whose, **each} for key, each in documents.items()])


async def left_in(rig: Rig, collection: str) -> dict[str, dict[str, Any]]:
    """What stands in a collection, by id."""
    return {each["_id"]: each for each in await rig.documents(collection)}


async def erase(rig: Rig, collection: str) -> list[ErasureResult]:
    """Have every holding of a collection erase; returns what was said."""
    said: list[ErasureResult] = []
    for holding in person_requests(rig.directory).holdings:
        is_done = collection not in holding.collections
        while not is_done:
            portion = await rig.transactor.run(lambda work, erase=holding.erase: erase(work, SUBJECT))  # type: ignore[misc]
            said += portion.results
            is_done = portion.is_done
    return said


async def test_messages_under_a_legal_hold_are_kept_until_it_is_lifted(rig: Rig) -> None:
    await put(rig, "messages", expires={"expires_on": AFTER}, later={"expires_on": AFTER + timedelta(days=9)}, held={})
    expiring, held = await erase(rig, "messages")
    assert (expiring.outcome, expiring.until) == (Outcome.KEPT, AFTER + timedelta(days=9))
    assert (held.outcome, held.until) == (Outcome.KEPT, None)
    assert "法律冻结" in str(held.ground)
    assert len(await rig.documents("messages")) == 3


async def test_exceptions_that_are_over_go_and_those_that_wait_for_approval_stay(rig: Rig) -> None:
    await put(
        rig,
        "rule_exceptions",
        over={"until": BEFORE, "wanted_until": BEFORE, "revoked_at": None},
        of_the_release_before={"until": BEFORE},
        revoked={"until": AFTER, "wanted_until": AFTER, "revoked_at": BEFORE},
        in_force={"until": AFTER, "wanted_until": AFTER, "revoked_at": None},
        waiting={"until": BEFORE, "wanted_until": AFTER, "revoked_at": None},
    )
    outcomes = {each.outcome for each in await erase(rig, "rule_exceptions")}
    assert outcomes == {Outcome.ERASED, Outcome.KEPT}
    assert set(await left_in(rig, "rule_exceptions")) == {"in_force", "waiting"}


async def test_offences_stay_and_what_is_remembered_of_messages_goes(rig: Rig) -> None:
    memory = {"day": 7, "counted": 3, "substantial": 2, "recent": b"12345678", "since": BEFORE, "active_on": NOON}
    await put(rig, "standings", calm=memory | {"pieces": [[NOON, "加"]]}, offender=memory | {"strikes": [{"id": "s1"}]})
    outcomes = [each.outcome for each in await erase(rig, "standings")]
    assert outcomes == [Outcome.ERASED, Outcome.ERASED, Outcome.KEPT]
    (left,) = await rig.documents("standings")
    emptied = {"day": 0, "counted": 0, "substantial": 0, "recent": b"", "active_on": NOON}
    assert left == {"_id": "offender", "group_id": "g1", "member_id": "u1", **emptied, "strikes": [{"id": "s1"}]}


async def test_a_text_that_names_a_person_goes_on_without_them(rig: Rig) -> None:
    text = "欢迎 {member:u1} {member:u2}"
    done = {"content": text, "members": ["u1", "u2"], "purpose": "service", "state": "done", "requested_at": NOON}
    warned = done | {"target": {"member_id": "u1"}, "purpose": "sanction"}
    told = done | {"target": {"member_id": "u1"}}
    await put(rig, "actions", welcome=done, open=done | {"state": "requested"}, warning=warned, note=told)
    outcomes = [each.outcome for each in await erase(rig, "actions")]
    assert outcomes == [Outcome.KEPT, Outcome.ERASED, Outcome.ANONYMISED]
    left = await left_in(rig, "actions")
    assert left.keys() == {"welcome", "open", "warning"}
    assert (left["welcome"]["content"], left["welcome"]["members"]) == ("欢迎 群友 {member:u2}", ["u2"])
    assert left["warning"]["content"] == left["open"]["content"] == text


async def test_samples_of_a_backtest_lose_the_texts_of_the_person(rig: Rig) -> None:
    await rig.database["messages"].insert_many(
        [{"_id": f"m{who}/g1/0/channel", "group_id": "g1", "member_id": who} for who in ("u1", "u2")]
    )
    samples = [{"message_id": f"m{who}", "group_id": "g1", "text": f"by {who}"} for who in ("u1", "u2", "gone")]
    rules = [{"rule": "lexicon", "added_samples": samples, "lost_samples": samples[:1]}]
    await put(rig, "backtests", b1={"report": {"rules": rules}}, b2={})
    assert [each.outcome for each in await erase(rig, "backtests")] == [Outcome.ERASED]
    (rule,) = (await rig.document("backtests", "b1"))["report"]["rules"]
    assert [each["text"] for each in rule["added_samples"]] == ["", "by u2", "by gone"]
    assert [each["text"] for each in rule["lost_samples"]] == [""]


async def test_the_state_of_who_has_left_goes_and_of_who_is_there_stays(rig: Rig) -> None:
    former = {"display_name": "李女士", "scene": "qr", "agreed_to": "v1"}
    await put(rig, "members", there={"agreed_to": "v1"}, former=former, left={"gone_since": BEFORE})
    outcomes = [each.outcome for each in await erase(rig, "members")]
    assert outcomes == [Outcome.ERASED, Outcome.ERASED, Outcome.KEPT]
    left = await left_in(rig, "members")
    assert left.keys() == {"there", "former"}
    assert not {"display_name", "scene"} & left["former"].keys()


async def test_a_report_that_is_not_decided_goes_on_without_its_reporter(rig: Rig) -> None:
    entry = {"what": "opened", "by": "u1", "note": "他骂人", "at": NOON}
    other = {"member_id": "u2", "reporters": ["u1", "u3"], "history": [entry, entry | {"by": "u3"}], "state": "open"}
    await put(rig, "cases", other=other, own={"history": [entry], "reporters": [], "closed_at": NOON})
    await erase(rig, "cases")
    left = await left_in(rig, "cases")
    assert left["other"]["reporters"] == ["erased", "u3"]
    assert [each["note"] for each in left["other"]["history"]] == ["", "他骂人"]
    assert left["own"]["history"] == [entry]

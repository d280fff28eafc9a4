"""Messages on their way through moderation: verdicts, documents, actions and tasks of one transaction."""

from dataclasses import replace
from datetime import timedelta

from huiqun.channel.actions.store import ACTIONS
from huiqun.contracts.channel import ActionKind, Role
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import SanctionKind, Verdict
from huiqun.testing.events import message_edited, message_recalled
from moderation.lexicon.model.matching import EVERY_POLICY, Lexicon
from moderation.policies.model import Rules
from moderation.standing.model import STRIKES
from tests.moderation.rig import BITS, WORDS, ModerationRig

ID_CARD = "11010519491231002X"


async def test_a_batch_leaves_a_verdict_a_document_and_an_event_for_each_message(rig: ModerationRig) -> None:
    await rig.say_all("你好", "一起刷单", "有内幕消息")
    assert [each.verdict for each in rig.screened] == [Verdict.ALLOW, Verdict.BLOCK, Verdict.REVIEW]
    archived = await rig.documents("messages")
    assert [each["verdict"] for each in archived] == ["allow", "block", "review"]
    assert [each["policy"] for each in archived] == ["default@1"] * 3
    assert {each["lexicon"] for each in archived} == {"v1"}
    (standing,) = await rig.documents("standings")
    assert (standing["counted"], len(standing["strikes"])) == (3, 1)


async def test_a_decision_names_the_word_that_was_found_and_how_it_was_written(rig: ModerationRig) -> None:
    await rig.say_all("一起刷*单，看 https://evil.top")
    words = [(each.rule, each.word, each.stream, each.spans) for each in rig.screened[0].reasons]
    assert words == [("lexicon", "w1", "stripped", ((2, 5),)), ("links", None, None, ((8, 24),))]
    (archived,) = await rig.documents("messages")
    assert (archived["reasons"][0]["word"], "word" in archived["reasons"][1]) == ("w1", False)


async def test_a_blocked_message_is_deleted_and_its_author_warned(rig: ModerationRig) -> None:
    (message,) = await rig.say_all("一起刷单")
    (deletion,) = rig.actions(ActionKind.DELETE_MESSAGE)
    assert deletion.target.message_id == message.data.message_id
    (warning,) = rig.actions(ActionKind.SEND_MESSAGE)
    assert warning.content.startswith("{member:u1}")
    assert "涉嫌欺诈" in warning.content
    (sanction,) = rig.sanctions
    assert (sanction.kind, sanction.rung, sanction.message_id) == (SanctionKind.WARNING, 1, message.data.message_id)


async def test_a_message_for_review_is_let_through_without_any_sanction(rig: ModerationRig) -> None:
    await rig.say_all("有内幕消息")
    assert rig.sanctions == []
    assert rig.actions(ActionKind.DELETE_MESSAGE, ActionKind.SEND_MESSAGE, ActionKind.MUTE_MEMBER) == []
    (standing,) = await rig.documents("standings")
    assert "strikes" not in standing


async def test_repeated_offences_climb_the_ladder_and_a_mute_ends_by_itself(rig: ModerationRig) -> None:
    await rig.say_all("一起刷单")
    await rig.run_due(timedelta(minutes=2))
    await rig.say_all("还来刷单")
    (mute,) = rig.actions(ActionKind.MUTE_MEMBER)
    assert (mute.target.member_id, mute.duration_seconds) == ("u1", 600)
    await rig.run_due(timedelta(minutes=9, seconds=59))
    assert rig.actions(ActionKind.UNMUTE_MEMBER) == []
    await rig.run_due(timedelta(seconds=1))
    (release,) = rig.actions(ActionKind.UNMUTE_MEMBER)
    assert release.target.member_id == "u1"
    (lifted,) = rig.lifted
    muted = next(sanction for sanction in rig.sanctions if sanction.kind is SanctionKind.MUTE)
    assert (lifted.data.sanction_id, lifted.data.cause) == (muted.sanction_id, "expired")


async def test_who_is_muted_twice_is_heard_again_when_the_longer_mute_is_over(rig: ModerationRig) -> None:
    for _ in range(3):
        await rig.say_all("一起刷单")
        await rig.run_due(timedelta(minutes=2))
    assert [action.duration_seconds for action in rig.actions(ActionKind.MUTE_MEMBER)] == [600, 3600]
    await rig.run_due(timedelta(minutes=20))
    assert rig.actions(ActionKind.UNMUTE_MEMBER) == []
    await rig.run_due(timedelta(minutes=40))
    assert len({action.action_id for action in rig.actions(ActionKind.UNMUTE_MEMBER)}) == 1
    assert len(rig.lifted) == 2


async def test_at_the_top_of_the_ladder_the_owner_is_asked_about_a_removal(rig: ModerationRig) -> None:
    for _ in range(5):
        await rig.say_all("一起刷单")
        await rig.run_due(timedelta(minutes=2))
    assert [sanction.rung for sanction in rig.sanctions] == [1, 2, 3, 4, 5]
    assert rig.sanctions[-1].kind is SanctionKind.REMOVAL_PROPOSED
    assert rig.actions(ActionKind.REMOVE_MEMBER) == []


async def test_what_only_sounds_like_a_word_is_warned_of_and_never_muted_for(rig: ModerationRig) -> None:
    rig.govern(Rules.model_validate({"lexicon": {"categories": {"fraud": "warn"}}, "duplicate": None}))
    lexicon = Lexicon(WORDS, [BITS[word.category] for word in WORDS], fuzzy=EVERY_POLICY)
    rig.rulebook = replace(rig.current(), lexicon=lexicon)
    for _ in range(6):
        await rig.say_all("一起 shuadan 吧")
        await rig.run_due(timedelta(minutes=2))
    assert [sanction.rung for sanction in rig.sanctions] == [1] * 6
    await rig.say_all("一起刷单")
    assert rig.sanctions[-1].kind is SanctionKind.MUTE


async def test_many_offences_in_one_batch_bring_one_sanction(rig: ModerationRig) -> None:
    await rig.say_all(*["一起刷单"] * (STRIKES + 10))
    assert [sanction.rung for sanction in rig.sanctions] == [1]
    (standing,) = await rig.documents("standings")
    assert len(standing["strikes"]) <= STRIKES


async def test_personal_data_is_masked_everywhere_and_its_owner_cautioned_and_not_punished(rig: ModerationRig) -> None:
    await rig.say_all(f"我的身份证{ID_CARD}")
    for name in await rig.database.list_collection_names():
        async for document in rig.database[name].find():
            assert ID_CARD not in str(document), name
    assert rig.screened[0].verdict is Verdict.BLOCK
    assert ID_CARD not in rig.screened[0].masked_text
    (caution,) = rig.actions(ActionKind.SEND_PRIVATE)
    assert "身份证号" in caution.content
    assert rig.sanctions == []


async def test_staff_are_told_and_neither_counted_nor_sanctioned(rig: ModerationRig) -> None:
    rig.govern(Rules.model_validate({"quota": {"per_day": 1}, "staff": {"categories": {"promise": "warn"}}}))
    await rig.say_all("一起刷单", "这个保本", "第三句", member="staff-9", role=Role.STAFF)
    assert [each.verdict for each in rig.screened] == [Verdict.ALLOW, Verdict.WARN, Verdict.ALLOW]
    assert await rig.documents("standings") == []
    assert rig.sanctions == []
    (notice,) = rig.actions()
    assert notice.kind is ActionKind.NOTIFY_STAFF
    assert notice.assignee == "staff-9"


async def test_who_becomes_staff_within_a_batch_is_from_then_on_judged_as_staff(rig: ModerationRig) -> None:
    await rig.deliver(rig.message("你好", "u1"), rig.message("一起刷单", "u1", role=Role.STAFF))
    assert [each.verdict for each in rig.screened] == [Verdict.ALLOW, Verdict.ALLOW]
    assert (rig.sanctions, rig.actions()) == ([], [])


async def test_an_event_that_comes_again_changes_nothing(rig: ModerationRig) -> None:
    (message,) = await rig.say_all("一起刷单")
    before = [await rig.documents(name) for name in ("messages", "standings", ACTIONS)]
    await rig.deliver(message)
    assert [await rig.documents(name) for name in ("messages", "standings", ACTIONS)] == before


async def test_an_edited_message_is_judged_again_counted_once_and_struck_once(rig: ModerationRig) -> None:
    rig.govern(Rules.model_validate({"quota": {"per_day": 1, "verdict": "block"}}))
    (message,) = await rig.say_all("你好")
    await rig.deliver(message_edited(message, "一起刷单", 1, time=rig.clock.moment))
    await rig.run_due(timedelta(minutes=5))
    await rig.deliver(message_edited(message, "还是刷单", 2, time=rig.clock.moment))
    assert [(each.revision, each.verdict) for each in rig.screened] == [
        (0, Verdict.ALLOW),
        (1, Verdict.BLOCK),
        (2, Verdict.BLOCK),
    ]
    (standing,) = await rig.documents("standings")
    assert (standing["counted"], len(standing["strikes"])) == (1, 1)
    assert len(rig.sanctions) == 1
    assert len({action.action_id for action in rig.actions(ActionKind.DELETE_MESSAGE)}) == 2
    archived = await rig.documents("messages")
    assert [each["text"] for each in archived] == ["你好", "一起刷单", "还是刷单"]


async def test_a_recalled_message_stays_in_the_archive(rig: ModerationRig) -> None:
    (message,) = await rig.say_all("一起刷单")
    await rig.deliver(message_recalled(message))
    (archived,) = await rig.documents("messages")
    assert (archived["recalled_by"], archived["verdict"], archived["text"]) == ("u1", "block", "一起刷单")


async def test_the_quota_survives_between_batches_and_begins_anew_the_next_day(rig: ModerationRig) -> None:
    rig.govern(Rules.model_validate({"quota": {"per_day": 2}}))
    for _ in range(3):
        await rig.say_all("你好")
    assert [each.verdict for each in rig.screened] == [Verdict.ALLOW, Verdict.ALLOW, Verdict.WARN]
    rig.clock.moment += timedelta(days=1)
    await rig.say_all("你好")
    assert rig.screened[-1].verdict is Verdict.ALLOW


async def test_a_clock_that_runs_ahead_takes_nobody_out_of_the_quota(rig: ModerationRig) -> None:
    rig.govern(Rules.model_validate({"quota": {"per_day": 1}}))
    ahead = rig.message("你好")
    data = ahead.data.model_copy(update={"sent_at": ahead.data.sent_at + timedelta(days=3_650)})
    await rig.deliver(ahead.model_copy(update={"data": data}))
    await rig.say_all("你好")
    assert [each.verdict for each in rig.screened] == [Verdict.ALLOW, Verdict.WARN]
    assert {each.sent_at for each in rig.screened} == {rig.clock.moment}


async def test_members_of_one_batch_are_counted_each_for_themselves(rig: ModerationRig) -> None:
    rig.govern(Rules.model_validate({"quota": {"per_day": 1}}))
    await rig.deliver(*(rig.message("你好", f"u{number % 3}") for number in range(5)))
    assert [each.verdict for each in rig.screened] == [Verdict.ALLOW] * 3 + [Verdict.WARN] * 2


async def test_every_event_carries_the_trace_of_the_message_that_caused_it(rig: ModerationRig) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    await rig.deliver(rig.message("一起刷单").model_copy(update={"traceparent": trace}))
    assert len(rig.emitted(Event)) >= 4
    assert {event.traceparent for event in rig.emitted(Event)} == {trace}
    assert {event.subject for event in rig.emitted(Event)} == {rig.group}

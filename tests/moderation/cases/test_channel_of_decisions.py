"""Everything that moderation says of a group names the channel that the group belongs to."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio

from huiqun.contracts.channel import (
    ActionRequested,
    ActionWithdrawn,
    Capabilities,
    Group,
    GroupCreated,
    MessageRecalled,
    MessageReceived,
    Recall,
    Support,
)
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import (
    CaseClosed,
    CaseOpened,
    CaseOutcome,
    MemberSanctioned,
    SanctionLifted,
)
from tests.moderation.rig import BAD, DOUBTFUL, OWNER, SHORT, ModerationRig

WECOM = "wecom/ww1234567890abcdef"
NATIVE = Capabilities(send=Support.NATIVE, mute=Support.NATIVE, delete=Support.NATIVE, remove=Support.NATIVE)
LONG = timedelta(days=1)  # longer than the first mute


@pytest_asyncio.fixture
async def elsewhere(rig: ModerationRig) -> AsyncIterator[ModerationRig]:
    """The group of the tests, which another channel than the usual one has told of."""
    group = Group(group_id="g1", owner=OWNER, capabilities=NATIVE)
    await rig.deliver(GroupCreated.create("g1", group, time=rig.clock.moment, source=WECOM))
    yield rig


async def say(rig: ModerationRig, text: str) -> MessageReceived:
    event = rig.message(text).model_copy(update={"source": WECOM})
    await rig.deliver(event)
    return event


async def channels(rig: ModerationRig, *kinds: type[Event]) -> set[str]:
    found = rig.data_of(*kinds)
    assert found, kinds
    return {each.channel for each in found}


async def test_actions_sanctions_cases_and_their_ends_name_the_channel(elsewhere: ModerationRig) -> None:
    await say(elsewhere, BAD)
    doubtful = await say(elsewhere, DOUBTFUL)
    [case] = await elsewhere.cases(message_id=doubtful.data.message_id)
    await elsewhere.decide(case.id, CaseOutcome.REVERSED)
    for kind in (ActionRequested, MemberSanctioned, CaseOpened, CaseClosed):
        assert await channels(elsewhere, kind) == {WECOM}


async def test_the_end_of_a_mute_names_the_channel(elsewhere: ModerationRig) -> None:
    for _ in range(3):
        await say(elsewhere, BAD)
        await elsewhere.run_due(SHORT)
    assert any(each.until for each in elsewhere.data_of(MemberSanctioned))
    await elsewhere.run_due(LONG)
    assert await channels(elsewhere, SanctionLifted) == {WECOM}


async def test_what_becomes_needless_is_withdrawn_from_the_channel_that_was_asked(elsewhere: ModerationRig) -> None:
    message = await say(elsewhere, BAD)
    [deletion] = [each for each in elsewhere.data_of(ActionRequested) if each.kind == "delete_message"]
    recall = Recall(message_id=message.data.message_id, group_id="g1", recalled_by="u1")
    recalled = MessageRecalled.create("g1", recall, time=message.time, source=WECOM)
    await elsewhere.deliver(recalled)
    [withdrawn] = elsewhere.data_of(ActionWithdrawn)
    assert (withdrawn.action_id, withdrawn.channel, withdrawn.group_id) == (deletion.action_id, WECOM, "g1")


async def test_what_punishes_asks_for_no_grant_and_says_so(elsewhere: ModerationRig) -> None:
    await say(elsewhere, BAD)
    asked = elsewhere.data_of(ActionRequested)
    assert {each.kind.value: each.purpose.value for each in asked} == {
        "delete_message": "sanction",
        "send_message": "sanction",
    }

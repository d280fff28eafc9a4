"""A service reminds a member of something, and knows what became of it."""

from huiqun.channel.actions.handlers import RECEIPT_EVENTS, record_receipts, request_actions
from huiqun.channel.actions.model import ActionState
from huiqun.channel.actions.store import ACTION_INDEXES, find_action
from huiqun.channel.directory.store import DIRECTORY_INDEXES
from huiqun.contracts.channel import Action, ActionCompleted, ActionKind, ActionTarget, Receipt
from huiqun.stream import Route
from tests.inlet import open_inlet
from tests.stories import NOON


async def test_a_reminder_to_a_member_is_followed_to_its_outcome(mongo_url: str, database_name: str) -> None:
    target = ActionTarget(member_id="u1")
    reminder = Action(
        action_id="r1", group_id="g1", kind=ActionKind.SEND_PRIVATE, target=target, content="明早见", requested_by="x"
    )
    indexes = {**DIRECTORY_INDEXES, **ACTION_INDEXES}
    async with open_inlet(mongo_url, database_name, lambda _: [Route(RECEIPT_EVENTS, record_receipts)], indexes) as it:
        await it.transactor.commit(lambda work: request_actions(work, reminder))
        await it.deliver([ActionCompleted.about("g1", Receipt(action_id="r1", group_id="g1"), time=NOON)])
        followed = await find_action(it.reader, "r1")
    assert followed is not None
    assert followed.state is ActionState.COMPLETED

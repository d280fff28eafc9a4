"""A service reminds a member of something, and knows what became of it."""

from huiqun.channel.actions.handlers import RECEIPT_EVENTS, record_receipts, request_actions
from huiqun.channel.actions.model import ActionState
from huiqun.channel.actions.store import ACTION_INDEXES, find_action
from huiqun.channel.directory.store import DIRECTORY_INDEXES
from huiqun.contracts.channel import Action, ActionKind, ActionTarget, CompletionStage
from huiqun.stream import Route
from huiqun.testing.events import action_receipt
from huiqun.testing.rig import Rig


async def test_a_reminder_to_a_member_is_followed_to_its_outcome(mongo_url: str, database_name: str) -> None:
    target = ActionTarget(member_id="u1")
    reminder = Action(
        action_id="r1", group_id="g1", kind=ActionKind.SEND_PRIVATE, target=target, content="明早见", requested_by="x"
    )
    indexes = {**DIRECTORY_INDEXES, **ACTION_INDEXES}
    async with Rig.open(mongo_url, database_name, indexes) as rig:
        rig.wire(routes=[Route(RECEIPT_EVENTS, record_receipts)])
        await rig.run(lambda work: request_actions(work, reminder))
        [asked] = rig.actions()
        await rig.deliver(action_receipt(asked, stage=CompletionStage.DELIVERED))
        followed = await find_action(rig.reader, asked.action_id)
    assert followed is not None
    assert (followed.state, followed.stage) == (ActionState.COMPLETED, CompletionStage.DELIVERED)

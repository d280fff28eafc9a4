"""The batch consumer on a real broker and a real database."""

from collections.abc import Sequence

from huiqun.contracts.channel import MessageReceived
from huiqun.stream import Route
from huiqun.testing.events import message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Work


async def test_every_event_is_handled_once_and_in_the_order_of_its_group(rig: Rig) -> None:
    async def handle(work: Work, events: Sequence[MessageReceived]) -> None:
        documents = [{"_id": event.data.message_id, "group": event.data.group_id} for event in events]
        await work.collection("seen").insert_many(documents)

    async def is_done() -> bool:
        return await rig.database["seen"].count_documents({}) >= 1_000

    events = [message_received(number, f"g{number % 7}") for number in range(1_000)]
    async with running_component(rig.consumer(Route((MessageReceived,), handle))):
        await rig.broker.send(*events, *events)
        await eventually(is_done)
    found = await rig.database["seen"].find({"group": "g3"}).sort("$natural", 1).to_list(None)
    assert [int(document["_id"][1:]) for document in found] == list(range(3, 1_000, 7))

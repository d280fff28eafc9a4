"""The rules of a group are found over HTTP, as its members see them."""

from tests.moderation.people import created
from tests.moderation.rig import ModerationRig

RULES = "1. 文明交流。\n2. <b>不发广告</b>。"


async def test_the_rules_of_a_group_stand_in_a_fixed_place(rig: ModerationRig) -> None:
    viewer = await rig.http("viewer")
    await rig.deliver(created())
    await rig.run_due()
    assert (await viewer.get("/api/v1/groups/g1/rules")).json()["version"] is None
    await rig.write_policy(rules_text=RULES, posting={})
    rules = (await viewer.get("/api/v1/groups/g1/rules")).json()
    assert (rules["text"], rules["policy_version"]) == (RULES, "default@1")
    assert rules["posted_at"] is not None

"""One person at a time works on a case, and colleagues leave comments for them."""

from datetime import timedelta

import pytest

from huiqun.contracts.moderation import CaseOutcome
from moderation.cases.handlers import CaseNotFoundError
from moderation.casework.handlers import comment_on_case
from moderation.casework.model import MAX_COMMENTS, CaseClosedError, CaseFullError, CaseHeldError
from tests.moderation.rig import ANNA, BO, DOUBTFUL, ModerationRig

UPHELD, REVERSED = CaseOutcome.UPHELD, CaseOutcome.REVERSED


async def test_a_claimed_case_is_its_holders_until_the_lease_is_over(rig: ModerationRig) -> None:
    await rig.say(DOUBTFUL)
    [case] = await rig.cases()
    claimed = await rig.claim(case.id, ANNA)
    assert claimed.lease is not None
    assert claimed.lease.until == rig.clock.moment + timedelta(minutes=15)
    for attempt in (rig.claim, rig.release):
        with pytest.raises(CaseHeldError, match="Anna"):
            await attempt(case.id, BO)
    with pytest.raises(CaseHeldError):
        await rig.decide(case.id, UPHELD, BO)
    rig.clock.moment += timedelta(minutes=10)
    renewed = await rig.claim(case.id, ANNA)
    assert renewed.lease is not None
    assert renewed.lease.until == rig.clock.moment + timedelta(minutes=15)
    rig.clock.moment += timedelta(minutes=15)
    await rig.claim(case.id, BO)
    await rig.release(case.id, BO)
    closed = await rig.decide(case.id, UPHELD, ANNA)
    assert closed.lease is None
    for attempt in (rig.claim, rig.release):
        with pytest.raises(CaseClosedError):
            await attempt(case.id, BO)
    with pytest.raises(CaseClosedError):
        await rig.decide(case.id, REVERSED)
    with pytest.raises(CaseNotFoundError):
        await rig.decide("review-nothing", REVERSED)


async def test_comments_are_kept_in_order_and_are_bounded(rig: ModerationRig) -> None:
    await rig.say(DOUBTFUL)
    [case] = await rig.cases()

    async def write_all(work: object) -> None:
        for number in range(MAX_COMMENTS):
            await comment_on_case(work, case.id, ANNA, f"第 {number} 条")  # type: ignore[arg-type]

    await rig.run(write_all)
    [commented] = await rig.cases()
    assert [each.text for each in commented.comments] == [f"第 {number} 条" for number in range(MAX_COMMENTS)]
    with pytest.raises(CaseFullError):
        await rig.run(lambda work: comment_on_case(work, case.id, ANNA, "x"))

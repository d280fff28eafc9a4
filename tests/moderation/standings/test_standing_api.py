"""A member's standing over HTTP."""

from datetime import UTC, datetime

import pytest

from tests.moderation.archive.chat import group_id, judge, said
from tests.moderation.interface import Interface, kind_of


async def test_a_member_s_standing_shows_offences_score_and_rung(interface: Interface) -> None:
    group = group_id()
    now = datetime.now(UTC)
    await judge(interface, said(group, "早上好", "加微信 abc12345", "晚安", sent_at=now))
    answer = await interface.ask("GET", f"/groups/{group}/members/u1/standing", "viewer")
    standing = answer.json()
    assert (standing["rung"], standing["messages_today"], standing["muted_until"]) == (1, 3, None)
    assert standing["score"] == pytest.approx(2, abs=0.01)
    assert standing["scores"] == {"solicitation": standing["score"]}
    assert [strike["message_id"] for strike in standing["strikes"]] == [f"{group}-u1-1"]
    unknown = await interface.ask("GET", f"/groups/{group}/members/nobody/standing")
    assert kind_of(unknown) == (404, "not-found")

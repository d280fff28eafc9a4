"""The queue of cases as callers meet it, over real HTTP."""

from datetime import timedelta

from huiqun.testing.http import list_all_pages
from tests.moderation.founded_group import Service
from tests.moderation.rig import DOUBTFUL, FINE


async def test_what_does_not_exist_is_404_and_what_is_malformed_422(service: Service) -> None:
    assert (await service.get("/api/v1/cases/review-none")).status_code == 404
    assert (await service.post("/api/v1/cases/review-none/claim")).status_code == 404
    assert (await service.post("/api/v1/reports", {"message_id": "m-none"}, "operator")).status_code == 422
    assert (await service.post("/api/v1/cases/x/comments", {"text": ""})).status_code == 422
    assert (await service.get("/api/v1/cases", state="lost")).status_code == 422
    assert (await service.get("/api/v1/cases", severity=6)).status_code == 422


async def test_the_queue_is_listed_page_by_page_in_both_orders_and_by_every_filter(service: Service) -> None:
    rig = service.rig
    for number in range(4):
        await rig.say(DOUBTFUL, f"u{number}")
        await rig.say("举报", "u9", reply_to=await rig.say(FINE, f"v{number}"))
        rig.clock.moment += timedelta(minutes=5)
    http = service.clients["viewer"]
    by_age = await list_all_pages(http, "/api/v1/cases", 3)
    assert [each["opened_at"] for each in by_age] == sorted(each["opened_at"] for each in by_age)
    assert len({each["id"] for each in by_age}) == 8
    severe = await list_all_pages(http, "/api/v1/cases", 3, order="severity")
    assert [each["severity"] for each in severe] == [3] * 4 + [2] * 4
    assert [each["opened_at"] for each in severe[:4]] == sorted(each["opened_at"] for each in severe[:4])
    filters = (("kind", "report"), ("category", "rumour"), ("severity", "3"), ("group_id", "g2"), ("overdue", "true"))
    numbers = [len(await list_all_pages(http, "/api/v1/cases", 50, **{name: value})) for name, value in filters]
    assert numbers == [4, 4, 4, 0, 0]
    first = (await service.get("/api/v1/cases", limit=3)).json()["next_cursor"]
    assert (await service.get("/api/v1/cases", order="severity", cursor=first)).status_code == 422

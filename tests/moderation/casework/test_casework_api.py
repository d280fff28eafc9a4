"""A case is claimed and given back over real HTTP; nobody else touches it meanwhile."""

from datetime import timedelta

from huiqun.web import create_api_key
from tests.moderation.founded_group import Service
from tests.moderation.rig import BAD


async def test_a_case_in_somebody_elses_hands_is_409_and_a_category_has_to_be_another(service: Service) -> None:
    message_id = await service.rig.say(BAD)
    reported = await service.post("/api/v1/reports", {"message_id": message_id, "note": "骗子"}, "operator")
    assert (reported.status_code, reported.json()["kind"]) == (201, "report")
    case = await service.only_case()
    assert reported.headers["location"] == case
    assert (await service.post(f"{case}/claim")).status_code == 200
    key = await create_api_key(service.rig.reader, "another", ["moderator"])
    service.clients["moderator"] = await (await service.rig.interface()).open_client({"X-API-Key": key})
    for path, body in ((f"{case}/claim", None), (f"{case}/release", None), (f"{case}/reverse", {})):
        held = await service.post(path, body, seen="*")
        assert (held.status_code, held.json()["type"]) == (409, "urn:huiqun:problem:case-held")
        assert "moderator" in held.json()["detail"]
    service.rig.clock.moment += timedelta(minutes=20)
    assert (await service.post(f"{case}/claim")).status_code == 200
    assert (await service.post(f"{case}/release")).json()["holder"] is None
    same = await service.post(f"{case}/reclassify", {"category": "fraud"}, seen="*")
    assert (same.status_code, same.json()["type"]) == (422, "urn:huiqun:problem:same-category")
    assert (await service.post(f"{case}/reclassify", {"category": "ads"}, seen="*")).json()["state"] == "reclassified"

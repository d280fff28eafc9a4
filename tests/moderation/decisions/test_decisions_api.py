"""Cases are decided over real HTTP, by moderators alone and in the version that they have seen."""

import pytest

from huiqun.web import Role
from tests.moderation.founded_group import Service
from tests.moderation.rig import DOUBTFUL


async def test_a_moderator_takes_a_case_from_the_queue_to_its_decision(service: Service) -> None:
    await service.rig.say(DOUBTFUL)
    case = await service.only_case()
    [listed] = (await service.get("/api/v1/cases", state="open")).json()["items"]
    assert (listed["text"], listed["state"], listed["reasons"][0]["category"]) == (DOUBTFUL, "open", "rumour")
    claimed = await service.post(f"{case}/claim")
    assert (claimed.status_code, claimed.json()["state"]) == (200, "claimed")
    assert claimed.json()["holder"]["name"] == "moderator"
    assert (await service.get("/api/v1/cases", state="open")).json()["items"] == []
    for query in ({"state": "claimed"}, {"assignee": claimed.json()["holder"]["id"]}, {}):
        assert len((await service.get("/api/v1/cases", **query)).json()["items"]) == 1
    read = await service.get(case)
    tag = read.headers["etag"]
    commented = await service.post(f"{case}/comments", {"text": "客户电话 13812345678 已核实"})
    assert commented.status_code == 201
    assert commented.json()["comments"][0]["text"] == "客户电话 138****5678 已核实"
    assert (await service.post(f"{case}/uphold", {}, seen=tag)).status_code == 412
    assert (await service.post(f"{case}/uphold", {})).status_code == 428
    decided = await service.post(f"{case}/uphold", {"note": "不实"}, seen=commented.headers["etag"], key="once")
    assert (decided.status_code, decided.json()["state"]) == (200, "upheld")
    assert decided.json()["decision"]["by"]["name"] == "moderator"
    again = await service.post(f"{case}/uphold", {"note": "不实"}, seen=commented.headers["etag"], key="once")
    assert again.json() == decided.json()
    assert len((await service.rig.standing()).strikes) == 1
    late = await service.post(f"{case}/reverse", {}, seen="*")
    assert (late.status_code, late.json()["type"]) == (409, "urn:huiqun:problem:case-closed")


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
async def test_only_moderators_decide(service: Service, role: Role) -> None:
    await service.rig.say(DOUBTFUL)
    case = await service.only_case()
    assert (await service.get(case, role)).status_code == 200
    for verb in ("claim", "release", "comments", "uphold", "reverse", "reclassify"):
        assert (await service.post(f"{case}/{verb}", {}, role, seen="*")).status_code == 403
    assert (await service.http.get("/api/v1/cases")).status_code == 401

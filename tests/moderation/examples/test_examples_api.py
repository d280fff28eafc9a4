"""Labelled examples are exported over real HTTP."""

import json
from typing import Any

from huiqun.contracts.moderation import CaseOutcome
from tests.moderation.founded_group import Service
from tests.moderation.rig import DOUBTFUL


async def test_examples_are_exported_line_by_line_and_go_on_behind_the_last(service: Service) -> None:
    rig = service.rig
    for number, outcome in enumerate((CaseOutcome.UPHELD, CaseOutcome.REVERSED, CaseOutcome.REVERSED)):
        await rig.say(f"{DOUBTFUL}{number}", f"u{number}")
        [case] = await rig.cases(state="open")
        await rig.decide(case.id, outcome)

    async def lines(**parameters: Any) -> list[dict[str, Any]]:
        response = await service.get("/api/v1/examples", "operator", **parameters)
        assert response.headers["content-type"] == "application/x-ndjson"
        return [json.loads(line) for line in response.text.splitlines()]

    found = await lines()
    assert [(each["text"], each["label"]) for each in found] == [
        (f"{DOUBTFUL}0", "rumour"),
        (f"{DOUBTFUL}1", "clean"),
        (f"{DOUBTFUL}2", "clean"),
    ]
    assert {"suggested", "policy", "decided_by", "decided_at", "id"} <= found[0].keys()
    first = await lines(limit=2)
    assert first + await lines(after=first[-1]["id"]) == found
    assert len(await lines(label="clean")) == 2
    assert (await service.get("/api/v1/examples", "viewer")).status_code == 403
    assert (await service.get("/api/v1/examples", "operator", limit=10_001)).status_code == 422

"""Policies as these tests write them, and somebody else puts them in force."""

from typing import Any

import httpx

from huiqun.runtime.ids import new_id
from tests.moderation.interface import Interface

QUIET = {"rules": {"quota": {"per_day": 3, "verdict": "block"}}, "note": "fewer messages"}


def policy_id() -> str:
    return f"p-{new_id()}"


async def written(interface: Interface, body: dict[str, Any] = QUIET) -> str:
    """The id of a new policy with one version, not in force."""
    name = policy_id()
    answer = await interface.ask("POST", f"/policies/{name}/versions", json=body)
    assert answer.status_code == 201, answer.text
    return name


async def approve(interface: Interface, name: str, version: int = 1, **options: Any) -> httpx.Response:
    """What an activation is answered, by somebody who writes no policies."""
    seen = await interface.ask("GET", f"/policies/{name}")
    headers = {"If-Match": seen.headers["etag"]}
    body = {"version": version, **options}
    return await interface.ask("POST", f"/policies/{name}/activation", "admin", json=body, headers=headers)


async def activate(interface: Interface, name: str, version: int = 1, **options: Any) -> None:
    answer = await approve(interface, name, version, **options)
    assert answer.status_code == 200, answer.text


async def write_policy(interface: Interface, name: str, rules: dict[str, Any]) -> None:
    """Write a version of a policy, not in force."""
    answer = await interface.ask("POST", f"/policies/{name}/versions", json={"rules": rules})
    assert answer.status_code == 201, answer.text

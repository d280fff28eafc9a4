"""Own rules as these tests write them, and somebody else puts them in force."""

from typing import Any

from huiqun.web import Role
from tests.moderation.interface import Interface


async def give_own_rules(interface: Interface, group: str, rules: dict[str, Any], revision: int = 0) -> Any:
    """What it is answered that a group is to have rules of its own, once somebody else has agreed."""
    answer = await request_own_rules(interface, group, rules, revision)
    if answer.status_code == 200 and answer.json()["own_waiting"]:
        answer = await approve_own_rules(interface, group, answer.json()["own_waiting"])
    return answer


async def request_own_rules(interface: Interface, group: str, rules: dict[str, Any], revision: int = 0) -> Any:
    body = {"rules": rules, "reason": "launch week"}
    return await interface.ask("PUT", f"/groups/{group}/policy", json=body, headers={"If-Match": f'"{revision}"'})


async def approve_own_rules(interface: Interface, group: str, version: int, role: Role = "admin", **body: str) -> Any:
    path, seen = f"/groups/{group}/policy/activation", {"If-Match": "*"}
    return await interface.ask("POST", path, role, json={"version": version, **body}, headers=seen)

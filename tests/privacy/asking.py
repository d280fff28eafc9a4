"""Requests to every route of a service, made from its OpenAPI document, with personal data planted in them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import quote

from moderation.cases.model.links import Grant
from moderation.membership.model.links import Holder, sign
from tests.privacy.house import House, Service
from tests.privacy.planting import Planter
from tests.privacy.plants import Plants

_ORDER = ("PUT", "POST", "GET", "DELETE")
# Optional, and of no use for texts; some of them exclude others.
_OMITTED = frozenset({"as_of", "from", "to", "cursor", "trigger", "after", "assignee", "category", "label", "others"})
_WANTED = frozenset({"drill"})
_CSV = {
    "/api/v1/staff": "staff_id,name,departed_on\nstaff-2,{name},\n",
    "/api/v1/lexicon/lists/{name}": "word,category,severity\n{mobile},ads,3\n",
}


_SENSIBLE: Mapping[str, Any] = {
    **dict.fromkeys(("group_id", "any_group"), "g1"),
    **dict.fromkeys(("member_id", "any_id"), "u1"),
    "groups": ["g1"],
    "members": ["u1"],
    "policy_id": "default",
    "number": 1,
    "version": 1,
    "kind": "leak",
    "name": "mine",
    "principal_id": "key:somebody",
    "schedule": "0 9 * * MON",
    "allowed_domains": ["bank.example.com"],
    "rules_url": "https://bank.example.com/rules",
    **dict.fromkeys(("phrases", "report_phrases", "appeal_phrases", "staff_words"), ["官方"]),
    "start": "22:00:00",
    "end": "07:00:00",
    "rule": "links",
    "where": "private",
    "rights": ["handle_incidents"],
    "drill": True,
    "contains": False,
    "remove": False,
    "mode": "quiet",
}
_SPECIAL: Mapping[str, Mapping[str, Any]] = {
    "/api/v1/messages/lookup": {"kind": "mobile"},
    "/api/v1/cases/{case_id}/reclassify": {"category": "gossip"},
}
_COLLECTIONS = {
    "hold": "holds",
    "export": "exports",
    "backtest": "backtests",
    "delegation": "delegations",
    "exception": "rule_exceptions",
    "action": "actions",
}


@dataclass
class Caller:
    """Somebody who asks everything that there is to ask; `answers` are the statuses by route."""

    house: House
    plants: Plants
    answers: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    async def ask_everything(self, name: str) -> None:
        """Send a request to each route of a service: first what makes something, then what reads and removes it."""
        service = self.house.services[name]
        document = service.app.openapi()
        routes = [
            (method.upper(), path, operation)
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        ]
        schemas = document.get("components", {}).get("schemas", {})
        for method, path, operation in sorted(routes, key=lambda route: (_ORDER.index(route[0]), route[1])):
            known = await self._known(service, path)
            planter = Planter(self.plants, schemas, known, _OMITTED, _WANTED)
            where = f"{method} {path}"
            for body in self._bodies(planter, path, operation):
                answer = await self._send(service, method, self._address(planter, path, operation), body)
                self.answers[where].add(answer)

    async def ask_amiss(self, token: str) -> None:
        """Send what is no route, though something that nobody may read stands in the path or the query."""
        http = self.house.moderation.http
        secret = f"{token}-{self.plants.mobile('a path')}"
        for path in (
            f"/api/v1/appeals/{secret}/",
            f"/api/v1/Appeals/{secret}",
            f"/api/v1/appeals%2F{secret}",
            f"/api/v1/appeals//{secret}",
            f"//api/v1/appeals/{secret}",
            f"/api/v1/appeals/{secret}?token={secret}",
            f"/consent?token={secret}&{self.plants.mobile('a query')}={self.plants.email('a query')}",
            f"/nowhere/{secret}",
            f"/api/v1/groups/{quote(self.plants.prose('a path', 200))}/members",
        ):
            for method in ("GET", "POST", "PUT", "BREW"):
                await http.request(method, path, headers=self._headers())

    async def _send(self, service: Service, method: str, address: str, body: Mapping[str, Any]) -> int:
        headers = {**self._headers(), **body["headers"]}
        rest = {name: value for name, value in body.items() if name != "headers"}
        answer = await service.http.request(method, address, headers=headers, **rest)
        if answer.status_code >= 400:
            print(method, address[:120], answer.status_code, answer.text[:300])
        return answer.status_code

    def _headers(self) -> dict[str, str]:
        return {
            "Idempotency-Key": f"{self.plants.mobile('a header')}-{next(self.numbers)}",
            "If-Match": "*",
            "X-Anything": self.plants.email("a header"),
            "User-Agent": self.plants.email("a header"),
        }

    def _address(self, planter: Planter, path: str, operation: Mapping[str, Any]) -> str:
        query = []
        for parameter in operation.get("parameters", ()):
            name = parameter["name"]
            value = planter.value(parameter["schema"], f"{path}.{name}")
            if parameter["in"] == "path":
                path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
            elif parameter["in"] == "query" and parameter.get("required"):
                query.append(f"{name}={quote(str(value))}")
        return "?".join((path, *(["&".join(query)] if query else [])))

    def _bodies(self, planter: Planter, path: str, operation: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        kinds = operation.get("requestBody", {}).get("content", {})
        if path in _CSV and "text/csv" in kinds:
            text = _CSV[path].format(name=self.plants.name(f"CSV {path}"), mobile=self.plants.mobile(f"CSV {path}"))
            yield {"headers": {"Content-Type": "text/csv; charset=utf-8"}, "content": text.encode()}
        for kind, content in kinds.items():
            if kind == "application/json" and path not in _CSV:
                asked = planter.value(content["schema"], path)
                yield {"headers": {}, "json": asked}
                if "script" in asked:  # only a drill has one: it happens in earnest as well
                    yield {"headers": {}, "json": {**asked, "drill": False, "script": []}}
            elif kind == "application/x-www-form-urlencoded":
                yield {"headers": {}, "data": {"reason": self.plants.prose(f"form {path}", 500)}}
        if not kinds:
            yield {"headers": {}}

    async def _known(self, service: Service, path: str) -> dict[str, Any]:
        """Ids of what there is by now, and values of fields that have to make sense."""
        now = self.house.clock.now()
        database = service.connected.database

        async def newest(collection: str, **query: Any) -> Any:
            return await database[collection].find_one(query, sort=[("_id", -1)]) or {}

        kinds = {"kind": "removal"} if path.endswith("/decline") else {}
        incident = await newest("incidents", state={"$ne": "closed"})
        found = {f"{name}_id": (await newest(held)).get("_id", "none") for name, held in _COLLECTIONS.items()}
        return {
            **_SENSIBLE,
            **found,
            **_SPECIAL.get(path, {}),
            "case_id": (await newest("cases", state="open", **kinds)).get("_id", "none"),
            "message_id": str((await newest("messages", verdict="block")).get("_id", "none")).partition("/")[0],
            "incident_id": incident.get("_id", "none"),
            "step": next((each["step"]["key"] for each in incident.get("steps", ())), "none"),
            "value": lambda: self.plants.mobile("a value that is looked up"),
            "token": self._token(path, await newest("standings", member_id="u8"), now),
            "until": (now + timedelta(days=3)).isoformat(),
            **dict.fromkeys(("since", "from"), (now - timedelta(days=3)).isoformat()),
            "to": now.isoformat(),
        }

    def _token(self, path: str, standing: Mapping[str, Any], now: datetime) -> str:
        if path == "/consent":
            return sign(self.house.signed.consents.signer, Holder("g1", "u1"), now + timedelta(days=7))
        if not standing.get("strikes"):
            return "none"
        grant = Grant("g1", "u8", standing["strikes"][-1]["id"], now + timedelta(days=7))
        return self.house.signed.appeals.token(grant)

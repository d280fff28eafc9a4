"""Requests to every route of a service, made from its OpenAPI document, with personal data planted in them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import quote

from huiqun.store import Database
from huiqun.tasks.store import fail_unknown_tasks
from huiqun.versions.handlers import VersionedDocuments
from huiqun.versions.model import Version, WriteVersionCommand
from huiqun.work import Task, Work
from moderation.cases.model import APPEAL, AppealGrant
from moderation.incidents.handlers.plans import PLANS, content_of
from moderation.incidents.shipped import shipped_plans
from moderation.membership.model.links import CONSENT, Holder
from moderation.policies.handlers import OWN_RULES, POLICIES, ExceptionWish, request_exception
from tests.privacy.house import House, Service
from tests.privacy.planting import Planter
from tests.privacy.plants import Plants

# What was put there is looked for afterwards.
_KEPT = ("DELETE", "/api/v1/lexicon/lists/{name}")
_ORDER = ("PUT", "POST", "GET", "DELETE")
# Optional, and of no use for texts; some of them exclude others.
_OMITTED = frozenset(
    {
        "as_of",
        "from",
        "to",
        "cursor",
        "trigger",
        "after",
        "assignee",
        "category",
        "label",
        "others",
        "shadow_categories",
    }
)
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
    "phrases": ["我已阅读"],
    "staff_words": ["官方"],
    "report_phrases": ["举报"],
    "appeal_phrases": ["申诉"],
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
_TASKS = "/api/v1/tasks"
_EXCEPTION_APPROVAL = "/api/v1/exceptions/{exception_id}/approval"
_VERSIONED: Mapping[str, tuple[VersionedDocuments, str, dict[str, Any]]] = {
    "/api/v1/policies/{policy_id}": (POLICIES, "default", {}),
    "/api/v1/incident-plans/{kind}": (PLANS, "leak", content_of(shipped_plans()["leak"])),
    "/api/v1/groups/{group_id}/policy": (OWN_RULES, "g1", {"quota": {"per_day": 9}}),
}
_COLLECTIONS = {
    "hold": "holds",
    "export": "exports",
    "backtest": "backtests",
    "delegation": "delegations",
    "exception": "rule_exceptions",
    "action": "actions",
}


def _turn(route: tuple[str, str, Any]) -> tuple[int, bool, str]:
    """What makes something before what reads or removes it, and what ends something after what needs it."""
    method, path, _ = route
    return _ORDER.index(method), path.endswith(("/closure", "/release", "/revocation")), path


@dataclass
class Caller:
    """Somebody who asks everything that there is to ask; `answers` are the statuses by route."""

    house: House
    plants: Plants
    answers: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    async def ask_everything(self, name: str, *, again: bool = False) -> None:
        """Send a request to each route of a service: first what makes something, then what reads and removes it.

        `again` sends one only to those that have not yet done what they were asked for.
        """
        service = self.house.services[name]
        document = service.app.openapi()
        routes = [
            (method.upper(), path, operation)
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        ]
        schemas = document.get("components", {}).get("schemas", {})
        for method, path, operation in sorted(routes, key=_turn):
            if (again and self.has_done(f"{method} {path}")) or (method, path) == _KEPT:
                continue
            known = await self._known(service, path)
            planter = Planter(self.plants, schemas, known, _OMITTED, _WANTED)
            where = f"{method} {path}"
            for body in self._bodies(planter, path, operation):
                for address in self._addresses(planter, path, operation):
                    self.answers[where].add(await self._send(service, method, address, body))

    def has_done(self, route: str) -> bool:
        """Whether a route has done once what it was asked for."""
        return any(status < 300 for status in self.answers[route])

    async def report_messages(self, times: int) -> None:
        """Open cases."""
        database = self.house.moderation.connected.database
        for _ in range(times):
            body = {"message_id": await self._blocked_message(database), "note": self.plants.prose("a report", 500)}
            await self._send(self.house.moderation, "POST", "/api/v1/reports", {"headers": {}, "json": body})

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
        return answer.status_code

    def _headers(self) -> dict[str, str]:
        return {
            "Idempotency-Key": f"{self.plants.mobile('a header')}-{next(self.numbers)}",
            "If-Match": "*",
            "X-Anything": self.plants.email("a header"),
            "User-Agent": self.plants.email("a header"),
        }

    def _addresses(self, planter: Planter, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
        """The route with what its query needs, and with everything that the query may hold."""
        required: list[str] = []
        optional: list[str] = []
        for parameter in operation.get("parameters", ()):
            name, where = parameter["name"], f"{path}.{parameter['name']}"
            value = str(planter.value(parameter["schema"], where))
            if parameter["in"] == "path":
                path = path.replace(f"{{{name}}}", quote(value, safe=""))
            elif parameter["in"] == "query":
                text = value if value != "x" else self.plants.mobile(where)
                (required if parameter.get("required") else optional).append(f"{name}={quote(text)}")
        yield f"{path}?{'&'.join(required)}"
        if optional:
            yield f"{path}?{'&'.join([*required, *optional])}"

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

        if path.startswith(_TASKS):
            return {"key": await self._have_failed_task(service), "kind": "of_nobody"}
        approvable = await self._have_approvable(service, path)
        kinds = {"kind": "removal"} if path.endswith("/decline") else {}
        incident = await newest("incidents", state={"$ne": "closed"})
        found = {f"{name}_id": (await newest(held)).get("_id", "none") for name, held in _COLLECTIONS.items()}
        return {
            **_SENSIBLE,
            **found,
            **_SPECIAL.get(path, {}),
            **approvable,
            "case_id": (await newest("cases", state="open", **kinds)).get("_id", "none"),
            "message_id": await self._blocked_message(database),
            "incident_id": incident.get("_id", "none"),
            "step": next((each["step"]["key"] for each in incident.get("steps", ())), "none"),
            "value": lambda: self.plants.mobile("a value that is looked up"),
            "token": self._token(path, await newest("standings", member_id="u8"), now),
            "until": (now + timedelta(days=3)).isoformat(),
            **dict.fromkeys(("since", "from"), (now - timedelta(days=3)).isoformat()),
            "to": now.isoformat(),
        }

    async def _have_failed_task(self, service: Service) -> str:
        """A task that nobody knows how to run, and that was given up; returns its key."""
        key, now = f"of-nobody/{next(self.numbers)}", self.house.clock.now()

        async def schedule(work: Work) -> None:
            work.schedule(Task(key, "of_nobody", now - timedelta(seconds=1)))

        await service.connected.transactor.run(schedule)
        await fail_unknown_tasks(service.connected.database, service.kinds, now, now)
        return key

    async def _have_approvable(self, service: Service, path: str) -> dict[str, Any]:
        """A version or an exception of somebody else that is to be edited, submitted, approved or rejected."""
        transact, now = service.connected.transactor.run, self.house.clock.now()
        if path == _EXCEPTION_APPROVAL:
            wish = ExceptionWish("g1", "u1", "links", now + timedelta(days=3), "for the test")
            grant = await transact(lambda work: request_exception(work, wish, "somebody"))
            return {"exception_id": grant.id, "content_hash": grant.content_hash}
        place, _, step = path.partition("/versions/{number}")
        if place not in _VERSIONED or path == place:
            return {}
        documents, document_id, content = _VERSIONED[place]

        async def write(work: Work) -> Version:
            version = await documents.write_version(work, document_id, WriteVersionCommand(content, "", "somebody"))
            if step in ("/approval", "/rejection"):
                return await documents.submit_version(work, document_id, version.number, "somebody")
            return version

        version = await transact(write)
        return {"number": version.number, "content_hash": version.content_hash}

    async def _blocked_message(self, database: Database) -> str:
        """Another one each time, so that each report opens a case."""
        blocked = [each["_id"] async for each in database["messages"].find({"verdict": "block"}, {"_id": 1})]
        return str(blocked[next(self.numbers) % len(blocked)]).partition("/")[0] if blocked else "none"

    def _token(self, path: str, standing: Mapping[str, Any], now: datetime) -> str:
        if path == "/consent":
            return self.house.links.create_token(CONSENT, Holder("g1", "u1").claims, now + timedelta(days=7))
        strikes = [each for each in standing.get("strikes", ()) if each["rung"]]
        if not strikes:
            return "none"
        claims = AppealGrant("g1", "u8", strikes[-1]["id"]).claims
        return self.house.links.create_token(APPEAL, claims, now + timedelta(days=7))

"""Somebody with an API key of moderation, and what they ask of it over HTTP."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

import httpx

from demo.story.morning import File

# Whatever has become of it meanwhile.
ANY: Final = "*"
_SECONDS: Final = 30
Answer = dict[str, Any]


class RequestRefusedError(Exception):
    """The interface did not do what somebody asked of it."""

    def __init__(self, who: str, response: httpx.Response) -> None:
        request = response.request
        super().__init__(f"{who}: {request.method} {request.url.path}: {response.status_code} {response.text[:300]}")
        self.status = response.status_code


class ApiUser:
    """A person at work; `seen` is the version that a change rests on."""

    def __init__(self, name: str, url: str, key: str) -> None:
        self.name = name
        self.id = "key:" + key.split("_")[1]
        self._http = httpx.AsyncClient(base_url=f"{url}/api/v1", headers={"X-Api-Key": key}, timeout=_SECONDS)

    @property
    def short_name(self) -> str:
        """The name without what they do."""
        return self.name.partition("-")[0]

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def read(self, path: str, **query: str | int) -> Any:  # noqa: ANN401 (JSON)
        """What stands there."""
        return self._checked(await self._http.get(path, params=query)).json()

    async def fetch(self, path: str, **query: str | int) -> bytes:
        """What stands there, where it is no JSON."""
        return self._checked(await self._http.get(path, params=query)).content

    async def find(self, path: str) -> Answer | None:
        """What stands there; None if there is nothing."""
        response = await self._http.get(path)
        return None if response.status_code == httpx.codes.NOT_FOUND else self._checked(response).json()

    async def post(self, path: str, body: Mapping[str, Any] | None = None, seen: int | str | None = None) -> Answer:
        """Have something done."""
        return await self._write("POST", path, body or {}, seen)

    async def put(self, path: str, body: Mapping[str, Any] | File, seen: int | str | None = None) -> Answer:
        """Put something in the place of what stands there."""
        return await self._write("PUT", path, body, seen)

    async def post_twice(self, path: str, body: Mapping[str, Any]) -> tuple[Answer, Answer]:
        """Have something done, and send the very same request again, as one does who has had no answer."""
        headers = {"Idempotency-Key": uuid4().hex}
        first = self._checked(await self._http.post(path, headers=headers, json=body))
        again = self._checked(await self._http.post(path, headers=headers, json=body))
        return first.json(), again.json()

    async def refused(self, method: str, path: str, body: Mapping[str, Any] | File | None = None) -> int:
        """Try what should not be done; the status of the refusal, or that of success."""
        try:
            await self._write(method, path, body or {}, ANY)
        except RequestRefusedError as error:
            return error.status
        return httpx.codes.OK

    async def decide(self, case: Answer, outcome: str, **judgement: str) -> Answer:
        """Claim a case and decide it."""
        path = f"/cases/{case['id']}"
        claimed = await self.post(f"{path}/claim")
        return await self.post(f"{path}/{outcome}", judgement, claimed["version"])

    async def _write(self, method: str, path: str, body: Mapping[str, Any] | File, seen: int | str | None) -> Answer:
        headers = {"Idempotency-Key": uuid4().hex}
        if seen is not None:
            headers["If-Match"] = ANY if seen == ANY else f'"{seen}"'
        if isinstance(body, File):
            headers["Content-Type"] = body.media_type
            response = await self._http.request(method, path, headers=headers, content=body.content.encode())
        else:
            response = await self._http.request(method, path, headers=headers, json=body)
        answer: Answer = self._checked(response).json()
        return answer

    def _checked(self, response: httpx.Response) -> httpx.Response:
        if response.is_error:
            raise RequestRefusedError(self.name, response)
        return response

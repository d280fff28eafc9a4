"""Members' pages behind signed links: whatever they are for, all of them answer alike.

| status | when |
|---|---|
| 200 | a GET of a link that is good, also where nothing is left to be done; it changes nothing |
| 2xx | a POST after which what was asked for holds, done by it or before |
| 400 | a POST whose form cannot be taken; the page says why, and shows it again |
| 404 | the link was not made here for this purpose, was changed, or is cut short |
| 409 | a POST that cannot do it any more: done otherwise, taken back, changed since; the page says which |
| 410 | the link has expired |
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse

from huiqun.privacy.links import ExpiredLinkError, InvalidLinkError, LinkGrant, LinkPurpose, SignedLinks
from huiqun.store import Reader
from huiqun.web.html import HTML, HTML_OR_PROBLEM, html_page, notice_paragraph
from huiqun.web.idempotency import transact_of
from huiqun.web.provided import provisions_of
from huiqun.web.routing import database_of
from huiqun.work import Work

_MAX_TOKEN: Final = 2_048
TokenInPath = Annotated[
    str, Path(max_length=_MAX_TOKEN, description="The signed part of the link.", examples=["q83vEjRWeJCrze8"])
]
TokenInQuery = Annotated[
    str, Query(max_length=_MAX_TOKEN, description="The signed part of the link.", examples=["eyJhbGciOiJIUzI1NiJ9"])
]
SHOW_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    404: {"description": "The link is not valid", "content": HTML},
    410: {"description": "The link has expired", "content": HTML},
}
ACT_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    **SHOW_RESPONSES,
    400: {"description": "The form cannot be taken", "content": HTML_OR_PROBLEM},
    409: {"description": "What the link is for cannot be done any more", "content": HTML},
}
Explanation = Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class MemberPages:
    """The pages behind the links of one purpose.

    `title` heads those that say why a link opens nothing; `instead` is what its holder may do then. `settled` are the
    errors by which a use case says that nothing is left to be done, each with what the holder is told.
    """

    purpose: LinkPurpose
    title: str
    instead: str
    settled: Mapping[type[Exception], Explanation] = field(default_factory=dict)

    async def show(
        self, request: Request, token: str, find: Callable[[Reader, LinkGrant], Awaitable[HTMLResponse]]
    ) -> HTMLResponse:
        """Answer a GET. Programs look into links before people do, so `find` is given what can only read."""
        return await self._answer(request, token, 200, lambda grant: find(database_of(request), grant))

    async def act(
        self, request: Request, token: str, use_case: Callable[[Work, LinkGrant], Awaitable[HTMLResponse]]
    ) -> HTMLResponse:
        """Answer a POST from the page. The use case is safe to repeat: people press a button twice."""
        transact = transact_of(request)
        return await self._answer(request, token, 409, lambda grant: transact(lambda work: use_case(work, grant)))

    async def _answer(
        self, request: Request, token: str, settled: int, answer: Callable[[LinkGrant], Awaitable[HTMLResponse]]
    ) -> HTMLResponse:
        links = provisions_of(request).get(SignedLinks)
        try:
            return await answer(links.verify_token(self.purpose, token, datetime.now(UTC)))
        except InvalidLinkError:
            return html_page(self.title, notice_paragraph(f"链接无效，请使用收到的完整链接。{self.instead}"), 404)
        except ExpiredLinkError:
            return html_page(self.title, notice_paragraph(f"链接已过期。{self.instead}"), 410)
        except tuple(self.settled) as error:
            return html_page(self.title, notice_paragraph(self._explanation(error)), settled)

    def _explanation(self, error: Exception) -> str:
        return next(self.settled[each](error) for each in type(error).__mro__ if each in self.settled)

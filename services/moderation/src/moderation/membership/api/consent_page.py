"""The page on which a member agrees to the rules: open to who has a signed link, and written for members."""

from datetime import UTC, datetime
from html import escape
from typing import Annotated, Any, Final, cast
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.responses import HTMLResponse

from huiqun.contracts.channel.shown_names import clean_group_name
from huiqun.privacy.links import BadLinkError, ExpiredLinkError
from huiqun.web import Router, Store, Transact
from huiqun.web.html import HTML, HTML_OR_PROBLEM, page, told
from moderation.membership.handlers.agreement import Agreement, Step, agree_by_link, find_agreement
from moderation.membership.model.links import PATH, Holder, Links, read

router = Router(PATH, tag="membership", role="anyone")

_SAID: Final = {
    Step.AGREED: "您已确认群规，感谢支持。",
    Step.GONE: "您目前不在该群内，无需确认群规。",
    Step.NOT_ASKED: "该群目前无需确认群规。",
}
_TITLE: Final = "群规确认"
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "The link is not valid", "content": HTML_OR_PROBLEM},
    410: {"description": "The link is too old", "content": HTML},
}

Token = Annotated[
    str, Query(max_length=2_048, description="What makes the link its holder's.", examples=["eyJhbGciOiJIUzI1NiJ9"])
]
Version = Annotated[
    str, Query(max_length=64, description="The version of the rules that was read.", examples=["9f86d081884c"])
]


@router.get("", summary="Show a member the rules", response_class=HTMLResponse, responses=_RESPONSES)
async def show_rules(request: Request, db: Store, token: Token = "") -> HTMLResponse:
    """Reading changes nothing: programs that look into links agree for nobody."""
    holder = _holder(request, token)
    if isinstance(holder, HTMLResponse):
        return holder
    return _page(await find_agreement(db, holder), token)


@router.post("", summary="Agree to the rules", response_class=HTMLResponse, responses=_RESPONSES)
async def agree(request: Request, token: Token = "", version: Version = "") -> HTMLResponse:
    """Once or often, it counts once. If the rules have changed since they were read, they are shown again."""
    holder = _holder(request, token)
    if isinstance(holder, HTMLResponse):
        return holder
    transact: Transact = cast("Transact", request.app.state.transact)
    agreement = await transact(lambda work: agree_by_link(work, holder, version))
    changed = told("群规刚刚有更新，请重新阅读后确认。") if agreement.step is Step.ASKED else ""
    return _page(agreement, token, changed)


def _holder(request: Request, token: str) -> Holder | HTMLResponse:
    """Whom the link is for, or the page that says why it does not count."""
    links: Links = request.app.state.links
    try:
        return read(links.signer, token, datetime.now(UTC))
    except BadLinkError:
        return page(_TITLE, told("链接无效，请使用收到的完整链接。"), 400)
    except ExpiredLinkError:
        return page(_TITLE, told("链接已过期，请在群内回复确认，或联系您的客户经理。"), 410)


def _page(agreement: Agreement, token: str, notice: str = "") -> HTMLResponse:
    parts = [notice]
    if agreement.rules_text:
        parts.append(f"<pre>{escape(agreement.rules_text)}</pre>")
    if agreement.rules_url:
        address = escape(agreement.rules_url, quote=True)
        parts.append(f'<p>群规全文：<a href="{address}" rel="noreferrer">{address}</a></p>')
    if agreement.step is Step.ASKED and agreement.version is not None:
        action = escape("?" + urlencode({"token": token, "version": agreement.version}), quote=True)
        parts.append(f'<form method="post" action="{action}"><button>我已阅读并同意</button></form>')
    else:
        parts.append(told(_SAID.get(agreement.step, _SAID[Step.NOT_ASKED])))
    return page(f"{clean_group_name(agreement.group_name) or '本群'}群规", "".join(parts))

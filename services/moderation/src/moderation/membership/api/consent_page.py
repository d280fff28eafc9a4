"""The page on which a member agrees to the rules: open to who has a signed link, and written for members."""

from html import escape
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.responses import HTMLResponse

from huiqun.contracts.channel.shown_names import clean_group_name
from huiqun.privacy.links import LinkGrant
from huiqun.store import Reader
from huiqun.web import Router
from huiqun.web.html import html_page, notice_paragraph
from huiqun.web.member_pages import ACT_RESPONSES, SHOW_RESPONSES, MemberPages, TokenInQuery
from huiqun.work import Work
from moderation.membership.handlers.agreement import Agreement, Step, agree_by_link, find_agreement
from moderation.membership.model.links import CONSENT, Holder

router = Router("/consent", tag="membership", role="anyone")

_SAID: Final = {
    Step.AGREED: "您已确认群规，感谢支持。",
    Step.GONE: "您目前不在该群内，无需确认群规。",
    Step.NOT_ASKED: "该群目前无需确认群规。",
}
_PAGES: Final = MemberPages(CONSENT, "群规确认", "您也可以在群内回复确认，或联系您的客户经理。")

Version = Annotated[
    str, Query(max_length=64, description="The version of the rules that was read.", examples=["9f86d081884c"])
]


@router.get("", summary="Show a member the rules", response_class=HTMLResponse, responses=SHOW_RESPONSES)
async def show_rules(request: Request, token: TokenInQuery = "") -> HTMLResponse:
    """Reading changes nothing: programs that look into links agree for nobody."""

    async def find(reader: Reader, grant: LinkGrant) -> HTMLResponse:
        return _page(await find_agreement(reader, Holder.from_link(grant)), token)

    return await _PAGES.show(request, token, find)


@router.post("", summary="Agree to the rules", response_class=HTMLResponse, responses=ACT_RESPONSES)
async def agree(request: Request, token: TokenInQuery = "", version: Version = "") -> HTMLResponse:
    """Once or often, it counts once. If the rules have changed since they were read, they are shown again."""

    async def use_case(work: Work, grant: LinkGrant) -> HTMLResponse:
        agreement = await agree_by_link(work, Holder.from_link(grant), version)
        changed = notice_paragraph("群规刚刚有更新，请重新阅读后确认。") if agreement.step is Step.ASKED else ""
        return _page(agreement, token, changed, status=200 if agreement.step is Step.AGREED else 409)

    return await _PAGES.act(request, token, use_case)


def _page(agreement: Agreement, token: str, notice: str = "", status: int = 200) -> HTMLResponse:
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
        parts.append(notice_paragraph(_SAID.get(agreement.step, _SAID[Step.NOT_ASKED])))
    return html_page(f"{clean_group_name(agreement.group_name) or '本群'}群规", "".join(parts), status)

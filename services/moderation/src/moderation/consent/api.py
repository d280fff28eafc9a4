"""Routes of consents and of the rules agreed to, and the page on which who has a signed link agrees."""

from datetime import datetime
from html import escape
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse

from huiqun.contracts.channel.shown_names import clean_group_name
from huiqun.contracts.envelope import Id
from huiqun.privacy.links import LinkGrant
from huiqun.store import Reader
from huiqun.web import Page, Paging, Problem, ReadDatabase, Router
from huiqun.web.html import html_page, notice_paragraph
from huiqun.web.member_pages import ACT_RESPONSES, SHOW_RESPONSES, MemberPages, TokenInQuery
from huiqun.work import Work
from moderation.consent import store
from moderation.consent.handlers import Agreement, agree_by_link, get_agreement
from moderation.consent.model import CONSENT_LINK, Consent, ConsentLinkHolder, ConsentStep

router = Router("/api/v1/groups/{group_id}", tag="consent", role="viewer")
page_router = Router("/consent", tag="consent", role="anyone")

_SETTLED: Final = {
    ConsentStep.AGREED: "您已确认群规，感谢支持。",
    ConsentStep.GONE: "您目前不在该群内，无需确认群规。",
    ConsentStep.NOT_ASKED: "该群目前无需确认群规。",
}
_PAGES: Final = MemberPages(CONSENT_LINK, "群规确认", "您可以在群内回复确认，或联系您的客户经理。")

GroupPath = Annotated[Id, Path(description="The group's id.", examples=["group-1"])]
RulesVersionPath = Annotated[
    str, Path(max_length=64, description="The version of the rules, as consents name it.", examples=["9f86d081884c"])
]
RulesVersion = Annotated[
    str, Query(max_length=64, description="The version of the rules that was read.", examples=["9f86d081884c"])
]
MemberId = Annotated[
    Id | None, Query(description="The id of the member whose consents are listed.", examples=["member-1"])
]


class ConsentView(BaseModel):
    """That a member agreed to a version of the rules."""

    id: str = Field(description="The consent's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    member_id: str = Field(description="The id of the member who agreed.", examples=["member-1"])
    rules_version: str = Field(
        description="The version of the rules agreed to, which changes with their words.", examples=["9f86d081884c"]
    )
    policy_version: str = Field(description="The version of the policy that held these rules.", examples=["default@3"])
    given_by: str = Field(
        description="How the member agreed: by a `reply` in the group, or on the page of a `link`.", examples=["reply"]
    )
    given_at: datetime = Field(description="Moment the member agreed.", examples=["2026-11-22T08:05:00Z"])


class AgreedRulesView(BaseModel):
    """Rules that members have agreed to, in the words that they had then."""

    version: str = Field(description="The version of the rules, as consents name it.", examples=["9f86d081884c"])
    text: str | None = Field(
        description="The text of the rules as it was agreed to.", examples=["1. 文明交流。\n2. 不发广告。"]
    )
    url: str | None = Field(
        description="The address of the full rules as it was then.", examples=["https://bank.example.com/rules"]
    )
    first_agreed_at: datetime = Field(
        description="Moment the first member agreed to these rules.", examples=["2026-11-22T08:05:00Z"]
    )


@router.get("/consents", summary="List the consents to the rules of a group")
async def list_consents(
    db: ReadDatabase, group_id: GroupPath, paging: Paging, member_id: MemberId = None
) -> Page[ConsentView]:
    """Newest first; each is kept for five years."""
    before, limit = paging.last(str), paging.limit + 1
    found = await store.list_consents(db, group_id, member_id=member_id, before=before, limit=limit)
    return paging.page(found, lambda consent: (consent.id,), _consent_view)


@router.get("/rules/{version}", summary="Read the rules that members of a group have agreed to")
async def read_agreed_rules(db: ReadDatabase, group_id: GroupPath, version: RulesVersionPath) -> AgreedRulesView:
    """As they were worded then, whatever has become of the policy; 404 if nobody has agreed to this version."""
    found = await store.find_agreed_rules(db, version)
    if found is None:
        raise Problem(404, "not-found", f"Nobody in {group_id} has agreed to rules of the version {version}.")
    return AgreedRulesView(version=found.version, text=found.text, url=found.url, first_agreed_at=found.first_agreed_at)


@page_router.get(
    "",
    summary="Read the rules that a member is asked to agree to",
    response_class=HTMLResponse,
    responses=SHOW_RESPONSES,
)
async def show_rules(request: Request, token: TokenInQuery = "") -> HTMLResponse:
    """Opening the page changes nothing: programs that look into links agree for nobody."""

    async def find(reader: Reader, grant: LinkGrant) -> HTMLResponse:
        return _agreement_page(await get_agreement(reader, ConsentLinkHolder.from_link(grant)), token)

    return await _PAGES.show(request, token, find)


@page_router.post("", summary="Agree to the rules", response_class=HTMLResponse, responses=ACT_RESPONSES)
async def agree(request: Request, token: TokenInQuery = "", version: RulesVersion = "") -> HTMLResponse:
    """Agreeing twice counts once. If the rules have changed since they were read, they are shown again."""

    async def use_case(work: Work, grant: LinkGrant) -> HTMLResponse:
        agreement = await agree_by_link(work, ConsentLinkHolder.from_link(grant), version)
        changed = notice_paragraph("群规刚刚有更新，请重新阅读后确认。") if agreement.step is ConsentStep.ASKED else ""
        return _agreement_page(agreement, token, changed, status=200 if agreement.step is ConsentStep.AGREED else 409)

    return await _PAGES.act(request, token, use_case)


def _agreement_page(agreement: Agreement, token: str, notice: str = "", status: int = 200) -> HTMLResponse:
    parts = [notice]
    if agreement.rules_text:
        parts.append(f"<pre>{escape(agreement.rules_text)}</pre>")
    if agreement.rules_url:
        address = escape(agreement.rules_url, quote=True)
        parts.append(f'<p>群规全文：<a href="{address}" rel="noreferrer">{address}</a></p>')
    if agreement.step is ConsentStep.ASKED and agreement.version is not None:
        action = escape("?" + urlencode({"token": token, "version": agreement.version}), quote=True)
        parts.append(f'<form method="post" action="{action}"><button>我已阅读并同意</button></form>')
    else:
        parts.append(notice_paragraph(_SETTLED.get(agreement.step, _SETTLED[ConsentStep.NOT_ASKED])))
    return html_page(f"{clean_group_name(agreement.group_name) or '本群'}群规", "".join(parts), status)


def _consent_view(consent: Consent) -> ConsentView:
    return ConsentView(
        id=consent.id,
        member_id=consent.member_id,
        rules_version=consent.rules_version,
        policy_version=consent.policy_version,
        given_by=consent.given_by,
        given_at=consent.given_at,
    )

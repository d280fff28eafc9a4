"""Where a sanctioned member appeals: a page behind a signed link, which is all the proof it needs."""

from html import escape
from typing import Final
from urllib.parse import parse_qs

from fastapi.responses import HTMLResponse
from starlette.requests import Request

from huiqun.privacy.links import LinkGrant
from huiqun.store import Reader
from huiqun.web import Router, body_of, limit_body
from huiqun.web.html import html_page, notice_paragraph
from huiqun.web.member_pages import ACT_RESPONSES, SHOW_RESPONSES, MemberPages, TokenInPath
from huiqun.work import Work
from moderation.cases.handlers.asking import AppealedError, NothingToAppealError, appeal_by_link, find_sanction
from moderation.cases.model import APPEAL, AppealGrant
from moderation.enforcement.model import name_of
from moderation.policies.handlers import find_group

router = Router("/api/v1/appeals", tag="cases", role="anyone")

MAX_REASON: Final = 500
_TITLE: Final = "处罚申诉"
_FORM: Final = """<p>{when} 起的处罚，原因：{category}。</p>{complaint}
<form method="post"><label for="reason">请说明申诉理由（{most} 字以内，请勿填写证件号、卡号等个人信息）：</label>
<textarea id="reason" name="reason" rows="6" maxlength="{most}" required></textarea>
<button type="submit">提交申诉</button></form>"""
_PAGES: Final = MemberPages(
    APPEAL,
    _TITLE,
    "如仍需申诉，请联系群主。",
    settled={
        NothingToAppealError: lambda _: "该处罚已撤销或已失效，无需申诉。",
        AppealedError: lambda error: (
            "该处罚的申诉已复核，结果已私信告知您。" if error.decided else "该处罚的申诉已收到，请等待工作人员复核。"
        ),
    },
)
_FORM_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["reason"],
                    "properties": {
                        "reason": {
                            "type": "string",
                            "maxLength": MAX_REASON,
                            "description": "Why the sanction is wrong.",
                            "examples": ["我没有发广告，只是回答了朋友的问题"],
                        }
                    },
                }
            }
        },
    }
}


@router.get("/{token}", summary="Show the form for an appeal", response_class=HTMLResponse, responses=SHOW_RESPONSES)
async def show_form(request: Request, token: TokenInPath) -> HTMLResponse:
    """For people: every answer is a page in Chinese."""

    async def find(reader: Reader, grant: LinkGrant) -> HTMLResponse:
        return await _form(reader, AppealGrant.from_link(grant))

    return await _PAGES.show(request, token, find)


@router.post(
    "/{token}",
    summary="Appeal",
    status_code=201,
    response_class=HTMLResponse,
    responses=ACT_RESPONSES,
    openapi_extra=_FORM_BODY,
    dependencies=[limit_body(16 * 1024)],
)
async def receive_form(request: Request, token: TokenInPath) -> HTMLResponse:
    """Once for each sanction; a person decides, and the answer comes as a private message."""
    form = parse_qs(body_of(request).content.decode("utf-8", "replace"))
    reason = form.get("reason", [""])[0].replace("\0", "").strip()[:MAX_REASON]

    async def appeal(work: Work, grant: LinkGrant) -> HTMLResponse:
        about = AppealGrant.from_link(grant)
        if not reason:
            return await _form(work, about, notice_paragraph("请填写申诉理由。"), status=400)
        await appeal_by_link(work, about, reason)
        return html_page(_TITLE, notice_paragraph("申诉已提交。工作人员复核后，会私信告知您结果。"), 201)

    return await _PAGES.act(request, token, appeal)


async def _form(reader: Reader, grant: AppealGrant, complaint: str = "", status: int = 200) -> HTMLResponse:
    _, strike = await find_sanction(reader, grant)
    group = await find_group(reader, grant.group_id)
    when = strike.at.astimezone(group.settings.timezone).strftime("%Y-%m-%d %H:%M")
    category = escape(name_of(strike.category))
    form = _FORM.format(when=when, category=category, complaint=complaint, most=MAX_REASON)
    return html_page(_TITLE, form, status)

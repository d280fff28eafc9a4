"""Routes of appeals: a page behind a signed link, which is all the proof that a sanctioned member needs."""

from html import escape
from typing import Final
from urllib.parse import parse_qs

from fastapi.responses import HTMLResponse
from starlette.requests import Request

from huiqun.privacy.links import LinkGrant
from huiqun.store import Reader
from huiqun.web import Router, body_limit, received_body
from huiqun.web.html import page, told
from huiqun.web.member_pages import DONE, SHOWN, MemberPages, TokenInPath
from huiqun.work import Work
from moderation.appeals.handlers import appeal_by_link, get_appealable_sanction
from moderation.appeals.model import APPEAL_LINK_PURPOSE, AppealedError, AppealGrant, NothingToAppealError
from moderation.notices.model import category_name
from moderation.policies.handlers import find_group

router = Router("/api/v1/appeals", tag="cases", role="anyone")

MAX_REASON_LENGTH: Final = 500
_TITLE: Final = "处罚申诉"
_FORM: Final = """<p>{when} 起的处罚，原因：{category}。</p>{complaint}
<form method="post"><label for="reason">请说明申诉理由（{most} 字以内，请勿填写证件号、卡号等个人信息）：</label>
<textarea id="reason" name="reason" rows="6" maxlength="{most}" required></textarea>
<button type="submit">提交申诉</button></form>"""
_PAGES: Final = MemberPages(
    APPEAL_LINK_PURPOSE,
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
                            "maxLength": MAX_REASON_LENGTH,
                            "description": "Why the sanction is wrong.",
                            "examples": ["我没有发广告，只是回答了朋友的问题"],
                        }
                    },
                }
            }
        },
    }
}


@router.get("/{token}", summary="Show the form of an appeal", response_class=HTMLResponse, responses=SHOWN)
async def show_appeal_form(request: Request, token: TokenInPath) -> HTMLResponse:
    """For the member who has the link: every answer is a page in Chinese."""

    async def find(reader: Reader, grant: LinkGrant) -> HTMLResponse:
        return await _appeal_form(reader, AppealGrant.from_link(grant))

    return await _PAGES.show(request, token, find)


@router.post(
    "/{token}",
    summary="Appeal against a sanction",
    status_code=201,
    response_class=HTMLResponse,
    responses=DONE,
    openapi_extra=_FORM_BODY,
    dependencies=[body_limit(16 * 1024)],
)
async def submit_appeal(request: Request, token: TokenInPath) -> HTMLResponse:
    """Possible once for each sanction. A person decides, and the member is told by a private message."""
    form = parse_qs(received_body(request).content.decode("utf-8", "replace"))
    reason = form.get("reason", [""])[0].replace("\0", "").strip()[:MAX_REASON_LENGTH]

    async def appeal(work: Work, grant: LinkGrant) -> HTMLResponse:
        about = AppealGrant.from_link(grant)
        if not reason:
            return await _appeal_form(work, about, told("请填写申诉理由。"), status=400)
        await appeal_by_link(work, about, reason)
        return page(_TITLE, told("申诉已提交。工作人员复核后，会私信告知您结果。"), 201)

    return await _PAGES.act(request, token, appeal)


async def _appeal_form(reader: Reader, grant: AppealGrant, complaint: str = "", status: int = 200) -> HTMLResponse:
    _, strike = await get_appealable_sanction(reader, grant)
    group = await find_group(reader, grant.group_id)
    when = strike.at.astimezone(group.settings.timezone).strftime("%Y-%m-%d %H:%M")
    category = escape(category_name(strike.category))
    form = _FORM.format(when=when, category=category, complaint=complaint, most=MAX_REASON_LENGTH)
    return page(_TITLE, form, status)

"""Routes of appeals: a page behind a signed link, which is all the proof that a sanctioned member needs."""

from collections.abc import Iterator
from html import escape
from typing import Final
from urllib.parse import parse_qs

from fastapi.responses import HTMLResponse
from starlette.requests import Request

from huiqun.contracts.channel.shown_names import clean_group_name
from huiqun.privacy.links import LinkGrant
from huiqun.store import Reader
from huiqun.web import Router, body_of, limit_body
from huiqun.web.html import html_page, notice_paragraph
from huiqun.web.member_pages import ACT_RESPONSES, SHOW_RESPONSES, MemberPages, TokenInPath
from huiqun.work import Work
from moderation.appeals.handlers import AppealSubject, appeal_by_link, read_appeal_subject
from moderation.appeals.model import APPEAL_LINK_PURPOSE, AppealedError, AppealGrant, NothingToAppealError
from moderation.standings.model import WARNING_RUNG

router = Router("/api/v1/appeals", tag="cases", role="anyone")

MAX_REASON_LENGTH: Final = 500
_TITLE: Final = "处罚申诉"
_FORM: Final = """<p>{subject}</p>{complaint}
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


@router.get("/{token}", summary="Read the form of an appeal", response_class=HTMLResponse, responses=SHOW_RESPONSES)
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
    responses=ACT_RESPONSES,
    openapi_extra=_FORM_BODY,
    dependencies=[limit_body(16 * 1024)],
)
async def submit_appeal(request: Request, token: TokenInPath) -> HTMLResponse:
    """Possible once for each sanction. A person decides, and the member is told by a private message."""
    form = parse_qs(body_of(request).content.decode("utf-8", "replace"))
    reason = form.get("reason", [""])[0].replace("\0", "").strip()[:MAX_REASON_LENGTH]

    async def appeal(work: Work, grant: LinkGrant) -> HTMLResponse:
        about = AppealGrant.from_link(grant)
        if not reason:
            return await _appeal_form(work, about, notice_paragraph("请填写申诉理由。"), status=400)
        await appeal_by_link(work, about, reason)
        return html_page(_TITLE, notice_paragraph("申诉已提交。工作人员复核后，会私信告知您结果。"), 201)

    return await _PAGES.act(request, token, appeal)


async def _appeal_form(reader: Reader, grant: AppealGrant, complaint: str = "", status: int = 200) -> HTMLResponse:
    subject = await read_appeal_subject(reader, grant)
    lines = "<br>".join(map(escape, _describe_subject(subject)))
    return html_page(_TITLE, _FORM.format(subject=lines, complaint=complaint, most=MAX_REASON_LENGTH), status)


def _describe_subject(subject: AppealSubject) -> Iterator[str]:
    """The lines that say which group, which sanction, until when, why, and which message."""
    strike, zone = subject.strike, subject.group.settings.timezone
    if name := clean_group_name(subject.group.name):
        yield f"群：{name}"
    at = f"{strike.at.astimezone(zone):%Y-%m-%d %H:%M}"
    if strike.until is not None:
        yield f"处罚：禁言，{at} 至 {strike.until.astimezone(zone):%Y-%m-%d %H:%M}"
    else:
        yield f"处罚：{'警告' if strike.rung == WARNING_RUNG else '移出群聊'}，{at}"
    yield f"原因：{subject.reason}"
    if subject.excerpt:
        yield f"消息：“{subject.excerpt}”"

"""Where a sanctioned member appeals: a page behind a signed link, which is all the proof it needs."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from html import escape
from typing import Annotated, Any, Final, cast
from urllib.parse import parse_qs

from fastapi import Path
from fastapi.responses import HTMLResponse
from starlette.requests import Request

from huiqun.web import Router, Transact, body_limit, received_body
from huiqun.web.html import HTML, HTML_OR_PROBLEM, page, told
from huiqun.work import Work
from moderation.cases.handlers.asking import AppealedError, NothingToAppealError, appeal_by_link, find_sanction
from moderation.cases.model import AppealLinks, Grant, InvalidLinkError
from moderation.enforcement.model import name_of
from moderation.policies.handlers import find_group

UseCase = Callable[[Work, Grant], Awaitable[HTMLResponse]]
router = Router("/api/v1/appeals", tag="cases", role="anyone")

MAX_REASON: Final = 500
TokenPath = Annotated[
    str, Path(max_length=1_024, description="The signed part of the link.", examples=["q83vEjRWeJCrze8"])
]
_TITLE: Final = "处罚申诉"
_FORM: Final = """<p>{when} 起的处罚，原因：{category}。</p>{complaint}
<form method="post"><label for="reason">请说明申诉理由（{most} 字以内，请勿填写证件号、卡号等个人信息）：</label>
<textarea id="reason" name="reason" rows="6" maxlength="{most}" required></textarea>
<button type="submit">提交申诉</button></form>"""
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "No reason is given, or the request cannot be read", "content": HTML_OR_PROBLEM},
    404: {"description": "The link is not valid, or too old", "content": HTML},
    409: {"description": "There is an appeal already", "content": HTML},
    410: {"description": "The sanction has been taken back, or counts no longer", "content": HTML},
}
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


@router.get("/{token}", summary="The form for an appeal", response_class=HTMLResponse, responses=_RESPONSES)
async def show_form(request: Request, token: TokenPath) -> HTMLResponse:
    """For people: every answer is a page in Chinese."""

    async def find(work: Work, grant: Grant) -> HTMLResponse:
        return await _form(work, grant)

    return await _answered(request, token, find)


@router.post(
    "/{token}",
    summary="Appeal",
    status_code=201,
    response_class=HTMLResponse,
    responses=_RESPONSES,
    openapi_extra=_FORM_BODY,
    dependencies=[body_limit(16 * 1024)],
)
async def receive_form(request: Request, token: TokenPath) -> HTMLResponse:
    """Once for each sanction; a person decides, and the answer comes as a private message."""
    form = parse_qs(received_body(request).content.decode("utf-8", "replace"))
    reason = form.get("reason", [""])[0].replace("\0", "").strip()[:MAX_REASON]

    async def appeal(work: Work, grant: Grant) -> HTMLResponse:
        if not reason:
            return await _form(work, grant, told("请填写申诉理由。"), status=400)
        await appeal_by_link(work, grant, reason)
        return page(_TITLE, told("申诉已提交。工作人员复核后，会私信告知您结果。"), 201)

    return await _answered(request, token, appeal)


async def _answered(request: Request, token: str, use_case: UseCase) -> HTMLResponse:
    links = cast("AppealLinks", request.app.state.appeal_links)
    transact = cast("Transact", request.app.state.transact)
    try:
        grant = links.read(token, datetime.now(UTC))
        return await transact(lambda work: use_case(work, grant))
    except InvalidLinkError:
        return page(_TITLE, told("链接无效或已过期。如仍需申诉，请联系群主。"), 404)
    except NothingToAppealError:
        return page(_TITLE, told("该处罚已撤销或已失效，无需申诉。"), 410)
    except AppealedError as error:
        known = (
            "该处罚的申诉已复核，结果已私信告知您。" if error.decided else "该处罚的申诉已收到，请等待工作人员复核。"
        )
        return page(_TITLE, told(known), 409)


async def _form(work: Work, grant: Grant, complaint: str = "", status: int = 200) -> HTMLResponse:
    _, strike = await find_sanction(work, grant)
    group = await find_group(work, grant.group_id)
    when = strike.at.astimezone(group.settings.timezone).strftime("%Y-%m-%d %H:%M")
    category = escape(name_of(strike.category))
    form = _FORM.format(when=when, category=category, complaint=complaint, most=MAX_REASON)
    return page(_TITLE, form, status)

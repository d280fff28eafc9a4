"""Pages for members, who open them on a phone: they load nothing, stay in no cache and tell nobody their address."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Any, Final

from starlette.responses import HTMLResponse

_STYLE: Final = """\
:root{color-scheme:light dark;--ink:#1f2329;--soft:#646a73;--back:#f2f3f5;--card:#fff;--line:#dee0e3;--deed:#1456b8}
@media(prefers-color-scheme:dark){
:root{--ink:#e6e7e9;--soft:#a0a4aa;--back:#17181a;--card:#222427;--line:#3b3e43;--deed:#2f6fd1}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:16px/1.7 -apple-system,"PingFang SC",\
"HarmonyOS Sans SC","Microsoft YaHei",sans-serif;-webkit-text-size-adjust:100%}
main{max-width:36em;margin:0 auto;padding:1.25em 1.25em 2em;background:var(--card);min-height:100vh}
@media(min-width:40em){main{margin:2em auto;min-height:0;border-radius:12px;border:1px solid var(--line)}}
h1{font-size:1.3em;line-height:1.4;margin:.2em 0 .8em}
p,pre,label{overflow-wrap:anywhere}
pre{white-space:pre-wrap;font:inherit;margin:1em 0;padding:.9em 1em;background:var(--back);border-radius:8px}
a{color:var(--deed)}
.told{padding:.7em 1em;border-left:4px solid var(--deed);background:var(--back)}
label{display:block;color:var(--soft)}
textarea{display:block;width:100%;margin:.6em 0 1em;padding:.6em .7em;font:inherit;color:inherit;\
background:transparent;border:1px solid var(--line);border-radius:8px}
button{width:100%;min-height:48px;font:inherit;font-weight:600;color:#fff;background:var(--deed);border:0;\
border-radius:8px}
"""
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
}
#: For the interface's document: an answer that is always a page, and one that problem details may stand in for.
HTML: Final[dict[str, Any]] = {"text/html": {"schema": {"type": "string"}}}
HTML_OR_PROBLEM: Final[dict[str, Any]] = {
    **HTML,
    "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}},
}


def html_page(title: str, content: str, status: int = 200) -> HTMLResponse:
    """A page in Chinese; `title` is plain text, `content` is HTML below the heading that repeats it."""
    named = escape(title)
    return HTMLResponse(
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{named}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{named}</h1>{content}</main></body></html>\n",
        status,
        headers=_HEADERS,
    )


def notice_paragraph(words: str) -> str:
    """A paragraph that stands out; `words` is plain text."""
    return f'<p class="told">{escape(words)}</p>'

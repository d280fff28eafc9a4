"""Pages for members: nothing of them comes from elsewhere, and nothing in them can come from whoever is shown."""

import re
from base64 import b64decode
from hashlib import sha256

from huiqun.web.html import html_page, notice_paragraph


def text_of(title: str, content: str) -> str:
    return bytes(html_page(title, content).body).decode()


def test_a_page_allows_its_own_style_and_nothing_else() -> None:
    answer = html_page("群规", "<p>请阅读。</p>", 410)
    policy = answer.headers["content-security-policy"]
    style = re.search(r"<style>(.*?)</style>", bytes(answer.body).decode(), re.DOTALL)
    allowed = re.search(r"style-src 'sha256-([^']+)'", policy)
    assert style is not None
    assert allowed is not None
    assert sha256(style[1].encode()).digest() == b64decode(allowed[1])
    assert policy.startswith("default-src 'none'")
    assert (answer.status_code, answer.headers["cache-control"]) == (410, "no-store")


def test_what_people_are_called_is_shown_and_never_run() -> None:
    shown = text_of("<script>alert(1)</script>", notice_paragraph("<b>群主</b>"))
    assert "<script>" not in shown
    assert "&lt;b&gt;群主" in shown

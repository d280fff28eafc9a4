"""Signed links: what is signed is read, under its own key and purpose, and nothing else is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huiqun.privacy.keys import RotatingKey
from huiqun.privacy.links import (
    ExpiredLinkError,
    InvalidLinkError,
    LinkGrant,
    LinkPurpose,
    NoPublicAddressError,
    SignedLinks,
    redact_link_tokens,
)

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
APPEAL = LinkPurpose("huiqun/tests/appeal", "/appeals/{token}", ("group", "member"))
CONSENT = LinkPurpose("huiqun/tests/consent", "/consent?token={token}", ("group", "member"))
CLAIMS = {"group": "g1", "member": "u1"}
LINKS = SignedLinks(RotatingKey(b"a key for tests"), "https://groups.example.com/")
IDS = st.text(alphabet="abcXYZ019-_.中文", min_size=1, max_size=40)


@given(IDS, IDS, st.binary(min_size=1, max_size=40))
def test_a_link_says_what_was_signed_and_only_under_its_own_key_and_purpose(
    group: str, member: str, key: bytes
) -> None:
    claims = {"group": group, "member": member}
    links = SignedLinks(RotatingKey(key), None)
    token = links.create_token(APPEAL, claims, LATER)
    assert links.verify_token(APPEAL, token, NOW) == LinkGrant(claims, LATER)
    for others, purpose in ((SignedLinks(RotatingKey(key + b"!"), None), APPEAL), (links, CONSENT)):
        with pytest.raises(InvalidLinkError):
            others.verify_token(purpose, token, NOW)
    with pytest.raises(ExpiredLinkError):
        links.verify_token(APPEAL, token, LATER)


def _changed(at: int) -> str:
    """A valid token with one character changed."""
    token = LINKS.create_token(APPEAL, CLAIMS, LATER)
    at %= len(token) - 1  # the bits of the last character are not all used
    return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]


@given(st.text(max_size=200) | st.integers(0, 100).map(_changed))
def test_no_other_text_passes_for_a_link(text: str) -> None:
    with pytest.raises(InvalidLinkError):
        LINKS.verify_token(APPEAL, text, NOW)


def test_links_of_the_key_before_are_read_and_new_ones_are_signed_under_the_present_one() -> None:
    former, present = SignedLinks(RotatingKey(b"former"), None), SignedLinks(RotatingKey(b"present"), None)
    both = SignedLinks(RotatingKey(b"present", b"former"), None)
    assert both.verify_token(APPEAL, former.create_token(APPEAL, CLAIMS, LATER), NOW).claims == CLAIMS
    assert present.verify_token(APPEAL, both.create_token(APPEAL, CLAIMS, LATER), NOW).claims == CLAIMS
    with pytest.raises(InvalidLinkError):
        present.verify_token(APPEAL, former.create_token(APPEAL, CLAIMS, LATER), NOW)


def test_a_link_leads_below_the_address_at_which_members_reach_the_service() -> None:
    token = LINKS.create_token(CONSENT, CLAIMS, LATER)
    assert LINKS.create_url(CONSENT, CLAIMS, LATER) == f"https://groups.example.com/consent?token={token}"
    assert LINKS.create_url(APPEAL, CLAIMS, LATER).startswith("https://groups.example.com/appeals/eyJ")
    nowhere = SignedLinks(RotatingKey(b"a key for tests"), None)
    assert (LINKS.has_public_url, nowhere.has_public_url) == (True, False)
    with pytest.raises(NoPublicAddressError):
        nowhere.create_url(CONSENT, CLAIMS, LATER)


def test_who_reads_what_a_member_was_sent_cannot_use_its_link() -> None:
    shown = redact_link_tokens(f"申诉：{LINKS.create_url(APPEAL, CLAIMS, LATER)} 七天内有效")
    assert shown == "申诉：https://groups.example.com/appeals/… 七天内有效"

"""Whatever is done to a chain of audit entries, the inspection sees it."""

import copy
import math
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions
from hypothesis import assume, given
from hypothesis import strategies as st

from huiqun.audit import AuditEntry, ChainHead, VerificationReport
from huiqun.audit.chain import is_sealed_entry, seal_entries
from huiqun.audit.verification import ChainInspection

CODEC: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=UTC)
Documents = list[dict[str, Any]]

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(1 << 63), (1 << 63) - 1), st.floats(allow_nan=False), names),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=6,
)
entries = st.builds(AuditEntry, names, names, names, st.dictionaries(names, values, max_size=3))
moments = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone given


def stored(documents: Documents) -> Documents:
    """Do to the documents what writing and reading them does."""
    return [bson.decode(bson.encode(document), CODEC) for document in documents]


def inspect(documents: Documents, head: ChainHead, anchor: ChainHead | None = None) -> VerificationReport:
    inspection = ChainInspection(anchor)
    for document in documents:
        inspection.inspect_entry(document)
    return inspection.conclude(head, max((document["_id"] for document in documents), default=0))


def chain_of(given_entries: list[AuditEntry], at: datetime) -> tuple[Documents, ChainHead]:
    documents = stored(list(seal_entries(ChainHead(), given_entries, at)))
    return documents, ChainHead(documents[-1]["_id"], documents[-1]["hash"]) if documents else ChainHead()


@given(st.lists(entries, max_size=5), moments)
def test_an_honest_chain_is_intact_after_it_was_stored(given_entries: list[AuditEntry], at: datetime) -> None:
    documents, head = chain_of(given_entries, at)
    report = inspect(documents, head)
    assert report.intact, report.findings
    assert (report.entries, report.head) == (len(given_entries), head)


@given(st.lists(entries, min_size=1, max_size=5), moments, st.data())
def test_any_changed_field_is_found_and_its_entry_named(
    given_entries: list[AuditEntry], at: datetime, data: st.DataObject
) -> None:
    documents, head = chain_of(given_entries, at)
    tampered = copy.deepcopy(documents)
    victim = data.draw(st.sampled_from(tampered))
    name = data.draw(st.sampled_from(["at", "actor", "action", "subject", "detail", "prev_hash", "hash", "more"]))
    victim[name] = data.draw(st.one_of(values, moments, st.binary(max_size=40)))
    tampered = stored(tampered)
    assume([bson.encode(document) for document in tampered] != [bson.encode(document) for document in documents])
    report = inspect(tampered, head)
    assert victim["_id"] in {finding.seq for finding in report.findings}


@given(st.lists(entries, min_size=1, max_size=5), moments, st.data())
def test_any_removed_entry_is_found_and_named(
    given_entries: list[AuditEntry], at: datetime, data: st.DataObject
) -> None:
    documents, head = chain_of(given_entries, at)
    gone = documents.pop(data.draw(st.integers(0, len(documents) - 1)))
    (finding, *_) = inspect(documents, head).findings
    assert finding.seq == gone["_id"]
    assert finding.kind in {"missing", "truncated"}


@given(st.lists(entries, min_size=2, max_size=5), moments, st.data())
def test_two_entries_that_changed_places_are_found(
    given_entries: list[AuditEntry], at: datetime, data: st.DataObject
) -> None:
    documents, head = chain_of(given_entries, at)
    first, second = data.draw(st.lists(st.integers(0, len(documents) - 1), min_size=2, max_size=2, unique=True))
    documents[first]["_id"], documents[second]["_id"] = documents[second]["_id"], documents[first]["_id"]
    documents.sort(key=lambda document: int(document["_id"]))
    found = {finding.seq for finding in inspect(documents, head).findings}
    assert {first + 1, second + 1} <= found


@given(st.lists(entries, min_size=1, max_size=4), entries, moments, st.data())
def test_an_entry_rewritten_with_a_hash_that_fits_breaks_the_link_behind_it(
    given_entries: list[AuditEntry], other: AuditEntry, at: datetime, data: st.DataObject
) -> None:
    documents, head = chain_of(given_entries, at)
    place = data.draw(st.integers(0, len(documents) - 1))
    before = ChainHead(place, documents[place]["prev_hash"])
    (forged,) = stored(list(seal_entries(before, [other], at)))
    assume(forged["hash"] != documents[place]["hash"])
    documents[place] = forged
    report = inspect(documents, head)
    assert [finding.kind for finding in report.findings] == (
        ["head differs"] if place == len(documents) - 1 else ["broken link"]
    )


@given(st.lists(entries, min_size=1, max_size=4), entries, moments)
def test_a_chain_rewritten_to_its_end_differs_from_its_anchor(
    given_entries: list[AuditEntry], other: AuditEntry, at: datetime
) -> None:
    _, anchor = chain_of(given_entries, at)
    documents, head = chain_of([other, *given_entries], at + timedelta(seconds=1))
    assert inspect(documents, head).intact
    (finding,) = inspect(documents, head, anchor).findings
    assert (finding.kind, finding.seq) == ("anchor differs", anchor.seq)


@given(st.lists(entries, min_size=1, max_size=4), entries, moments)
def test_entries_added_behind_the_head_are_found(
    given_entries: list[AuditEntry], other: AuditEntry, at: datetime
) -> None:
    documents, head = chain_of(given_entries, at)
    documents += stored(list(seal_entries(head, [other], at)))
    (finding,) = [each for each in inspect(documents, head).findings if each.kind == "beyond head"]
    assert finding.seq == head.seq + 1


def test_values_that_would_be_hashed_like_others_are_found() -> None:
    number = uuid.uuid4()
    (document,) = seal_entries(
        ChainHead(), [AuditEntry("a", "b", "c", {"nothing": None, "id": str(number)})], datetime.now(UTC)
    )
    assert is_sealed_entry(document)
    for name, value in (("nothing", math.nan), ("nothing", math.inf), ("id", number)):
        assert not is_sealed_entry({**document, "detail": {**document["detail"], name: value}})
    assert not is_sealed_entry({**document, "_id": 1.0})
    assert not is_sealed_entry({**document, "_id": True})


def test_what_json_cannot_hold_is_refused_or_stored_as_text() -> None:
    now = datetime.now(UTC)
    (document,) = seal_entries(ChainHead(), [AuditEntry("a", "b", "c", {"when": now, "both": (1, 2)})], now)
    assert document["detail"] == {"when": now.isoformat(), "both": [1, 2]}
    with pytest.raises(TypeError):
        list(seal_entries(ChainHead(), [AuditEntry("a", "b", "c", {"x": object()})], now))

"""The words of the interfaces: summaries say what is done to what, descriptions stand alone, names are unique."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI

import crm_sync.interface
import engagement.interface
import moderation.interface
import survey.interface
from huiqun.contracts.topics import SERVICES
from huiqun.web.openapi import serve_complete_openapi


def words_in(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What begins a summary; a verb that is not here is added once it is the field's word for what a route does.
VERBS = words_in(
    """
    Activate Add Agree Appeal Approve Assign Cancel Change Check Claim Close Comment Compare Complete Confirm Contain
    Count Create Decline Delegate Delete Download Draw Edit End Export Extend Find Give Grant Import Lift List Mediate
    Note Open Patrol Place Read Reclassify Record Reject Release Remove Replace Report Request Retry Reverse Review
    Revoke Run Sample Scan Set Start Submit Switch Try Uphold Verify Withdraw Write
    """
)
QUESTIONS = words_in("how what when where whether which who whom whose why by")
DETERMINERS = words_in("the a an each every one no any all this some another")
OF_ONE = words_in("it its itself he she his her him")
OF_MANY = words_in("they them their")
LEAST_WORDS = 3
#: What a description may be full of and still say nothing.
FILLERS = words_in(
    """
    is are was were be been has have had did do done to of for in on by from with at and or if not
    asked said told went made given come came became happened changed happens wrong right there then so far else
    """
)
NAMES_NOTHING = FILLERS | QUESTIONS | DETERMINERS | OF_ONE | OF_MANY


def document_of(routers: Sequence[APIRouter]) -> dict[str, Any]:
    """The OpenAPI document of these routes."""
    app = FastAPI()
    for router in routers:
        app.router.routes.extend(router.routes)
    return serve_complete_openapi(app)


DOCUMENTS = {
    "moderation": document_of(moderation.interface.ROUTERS),
    "engagement": document_of(engagement.interface.ROUTERS),
    "crm-sync": document_of(crm_sync.interface.ROUTERS),
    "survey": document_of(survey.interface.ROUTERS),
}


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def descriptions(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Where each field and each parameter stands, and its description."""
    for where, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            yield f"{where} {parameter['name']}", parameter["description"]
    for name, schema in document["components"]["schemas"].items():
        for field, definition in schema.get("properties", {}).items():
            yield f"{name}.{field}", definition["description"]


def is_imperative(summary: str) -> bool:
    """Whether a summary begins with a verb and says what it is done to."""
    verb, *rest = summary.split()
    return verb in VERBS and bool(rest) and not summary.endswith(".")


def stands_alone(description: str) -> bool:
    """Whether a description says something to who reads nothing else: no bare question, no pronoun before its noun."""
    words = re.findall(r"[\w'’]+", re.split(r"[.:;]", description)[0].lower())
    if len(description.split()) < LEAST_WORDS or NAMES_NOTHING.issuperset(words):
        return False
    # "Replies, whatever their spaces" names a thing first; "What they noted" does not.
    missed = OF_ONE if words[0] not in QUESTIONS | OF_MANY else OF_ONE | OF_MANY
    before = words[: next((place for place, word in enumerate(words) if word in DETERMINERS), len(words))]
    return missed.isdisjoint(before)


def poor_summaries(service: str) -> set[str]:
    return {where for where, operation in operations(DOCUMENTS[service]) if not is_imperative(operation["summary"])}


def poor_descriptions(service: str) -> set[str]:
    return {where for where, description in descriptions(DOCUMENTS[service]) if not stands_alone(description)}


def shared_names(service: str) -> set[str]:
    """The views whose names are those of others: the document calls each by its module."""
    return {name for name in DOCUMENTS[service]["components"]["schemas"] if "__" in name.rstrip("_")}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("find", [poor_summaries, poor_descriptions, shared_names], ids=lambda find: find.__name__)
def test_summaries_are_imperative_descriptions_stand_alone_and_names_are_unique(
    service: str, find: Callable[[str], set[str]]
) -> None:
    assert find(service) == set()


@pytest.mark.parametrize(
    ("description", "alone"),
    [
        ("When.", False),
        ("By whom.", False),
        ("The group.", False),
        ("What was asked for.", False),
        ("When it ends.", False),
        ("Who asked for it.", False),
        ("What they noted.", False),
        ("Its tags, as the channel has them.", False),
        ("When the exception ends.", True),
        ("Replies that count, whatever their spaces.", True),
        ("Number of the version.", True),
        ("The group's id; it is the channel's.", True),
    ],
)
def test_what_stands_alone_names_a_thing_before_a_pronoun(description: str, alone: bool) -> None:
    assert stands_alone(description) is alone

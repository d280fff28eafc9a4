"""Whatever is written into any field of any event or request, nobody finds personal data where it does not belong."""

from collections.abc import Iterator, Mapping
from typing import Any

from huiqun.contracts.topics import TOPICS
from tests.privacy.conftest import Day

# What still holds names and platform ids in the clear, until they are encrypted with the kit's directory.
OPEN: Mapping[str, str] = {}
"""By service, collection and field."""


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Everything in a document, with the names of the fields that lead to it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{path}.<key>", name
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, value


async def test_x(day: Day) -> None:
    found: dict[str, set[str]] = {}
    async for collection, document in day.house.documents():
        for path, value in leaves(document, collection):
            if where := day.plants.found_in(value):
                found.setdefault(path, set()).update(where)
    for kind, lines in day.house.seen().items():
        for line in lines:
            if where := day.plants.found_in(line):
                found.setdefault(kind, set()).update(where)
                print(line[:600])
    for topic in TOPICS:
        for record in await day.house.records(topic):
            for part, value in (
                ("value", record.value),
                ("key", record.key),
                ("headers", [list(h) for h in record.headers]),
            ):
                if where := day.plants.found_in(value):
                    found.setdefault(f"{topic.name} {part}", set()).update(where)
    for k, v in sorted(found.items()):
        print(k, sorted(v)[:6])
    for k, v in sorted(day.caller.answers.items()):
        print(k, sorted(v))
    print(len(day.plants.planted))

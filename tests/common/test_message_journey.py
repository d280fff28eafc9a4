"""The page about the architecture names the code that a message passes: each file and function of it is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs/explanation"
ENGLISH, CHINESE = PAGES / "architecture.md", PAGES / "architecture.zh-CN.md"
HOP = re.compile(r"^\| (?P<number>\d+) \| \[[^]]+\]\((?P<path>[^)]+)\) `(?P<name>[\w.]+)` \|", re.MULTILINE)


def hops_of(page: Path) -> list[tuple[str, str, str]]:
    """The number, file and function of each hop on a page."""
    return HOP.findall(page.read_text())


@cache
def names_in(path: Path) -> frozenset[str]:
    """The functions of a module, and its methods by their class."""
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    module = ast.parse(path.read_text()).body
    methods = {
        f"{each.name}.{method.name}"
        for each in module
        if isinstance(each, ast.ClassDef)
        for method in each.body
        if isinstance(method, functions)
    }
    return frozenset({each.name for each in module if isinstance(each, functions)} | methods)


@pytest.mark.parametrize("hop", hops_of(ENGLISH), ids=" ".join)
def test_each_hop_of_a_message_is_in_the_code(hop: tuple[str, str, str]) -> None:
    _, path, name = hop
    assert name in names_in((PAGES / path).resolve())


def test_hops_are_counted_and_both_languages_tell_the_same_ones() -> None:
    hops = hops_of(ENGLISH)
    assert [int(number) for number, _, _ in hops] == list(range(1, len(hops) + 1))
    assert hops == hops_of(CHINESE)
    head, _, tail = ENGLISH.read_text().partition("### The action and its receipt")
    judged = HOP.findall(head)
    assert f"{len(judged)} hops through {len({path for _, path, _ in judged})} modules" in head
    assert f"to the receipt {len(HOP.findall(tail))} more" in head

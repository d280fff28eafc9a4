"""The page of moderation's slices tells what the contract of import-linter says, in both languages."""

import re
import tomllib
from pathlib import Path

import pytest

import moderation

ROOT = Path(__file__).parents[2]
PACKAGE = Path(moderation.__path__[0])
ROW = re.compile(r"^\| (\d+) \| \[(\w+)\]\(src/moderation/(\w+)\) \| \S.* \|$", re.MULTILINE)


def storeys_of_the_contract() -> list[tuple[int, str, str]]:
    """The storey of each slice, with its name and its folder, from bottom to top."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = [each["layers"] for each in contracts if each.get("containers") == ["moderation"]]
    storeys = [[name for name in re.findall(r"\w+", layer) if is_slice(name)] for layer in reversed(layers)]
    return [(number, name, name) for number, names in enumerate(filter(None, storeys), 1) for name in names]


def is_slice(name: str) -> bool:
    return (PACKAGE / name / "__init__.py").exists() and name != "commands"


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_page_lists_exactly_the_slices_of_the_contract_in_its_order(page: str) -> None:
    text = (ROOT / "services" / "moderation" / page).read_text(encoding="utf-8")
    assert [(int(storey), name, folder) for storey, name, folder in ROW.findall(text)] == storeys_of_the_contract()

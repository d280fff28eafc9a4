"""What `make check` finds in what a slice imports of another one."""

from pathlib import Path

import pytest

from checks.house_rules import foreign_rooms

HANDLERS = Path("services/moderation/src/moderation/cases/handlers.py")


@pytest.mark.parametrize(
    "source",
    [
        "from moderation.groups.store import list_group_settings",
        "from moderation.groups import store",
        "from moderation.groups import store as groups",
        "from moderation.groups import model, personal_data",
        "import moderation.groups.store",
        "from moderation.groups.api import GroupPath",
        "from moderation.groups.personal_data import GROUP_HOLDINGS",
        "def find_group():\n    from moderation.groups.store import find_group",
    ],
)
def test_a_slice_that_imports_what_is_anothers_own_is_found(source: str) -> None:
    ((path, line, said),) = foreign_rooms(HANDLERS, source)
    assert (path, line) == (HANDLERS, source.count("\n") + 1)
    assert said.endswith("ask moderation.groups.handlers")


@pytest.mark.parametrize(
    "source",
    [
        "from moderation.cases import store",
        "from moderation.cases.store import CASES",
        "from moderation.groups.handlers import list_known_groups",
        "from moderation.groups.model import GroupSettings",
        "from moderation.policies.sections.review import ReviewRule",
        "from huiqun.channel.directory.store import DIRECTORY_INDEXES",
        "import moderation",
    ],
)
def test_a_slice_imports_its_own_store_and_what_others_give(source: str) -> None:
    assert not [*foreign_rooms(HANDLERS, source)]


def test_the_composition_root_imports_stores() -> None:
    source = "from moderation.groups.store import GROUP_INDEXES"
    assert not [*foreign_rooms(Path("services/moderation/src/moderation/documents.py"), source)]


def test_commands_ask_handlers_like_any_slice() -> None:
    source = "from moderation.lexicon.store import LEXICON_INDEXES"
    assert [*foreign_rooms(Path("services/moderation/src/moderation/commands/import_words.py"), source)]


def test_routes_answer_with_the_views_of_other_routes() -> None:
    source = "from moderation.cases.api import CaseView"
    assert not [*foreign_rooms(Path("services/moderation/src/moderation/decisions/api.py"), source)]

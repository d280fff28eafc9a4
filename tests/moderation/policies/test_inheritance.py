"""Layers of rules: what holds below them, and who says it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from pydantic import BaseModel, ValidationError

from huiqun.versions.model import diff_contents
from moderation.groups.model import GroupSettings
from moderation.policies.model import BUILT_IN_POLICY, PolicyVersion, build_policy
from moderation.policies.sections.layers import (
    Changes,
    PolicyLayer,
    dump_changes,
    list_value_origins,
    merge_layers,
    validate_layers,
)
from moderation.policies.sections.rules import Rules

OUTCOMES = st.sampled_from(["warn", "review", "block"])


def section(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any] | None]:
    return st.none() | st.fixed_dictionaries({}, optional={"shadow": st.booleans(), **fields})


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "quota": section(per_day=st.integers(1, 9), verdict=OUTCOMES),
        "length": section(max_characters=st.none() | st.integers(10, 99)),
        "links": section(allowed_domains=st.lists(st.sampled_from(["a.example", "b.example"]), max_size=2)),
        "contacts": section(verdict=OUTCOMES),
        "lexicon": section(
            categories=st.dictionaries(st.sampled_from(["ads", "fraud", "gossip"]), st.none() | OUTCOMES),
            shadow_categories=st.lists(st.sampled_from(["ads", "rumour"]), unique=True),
        ),
        "ladder": st.fixed_dictionaries({}, optional={"grace_seconds": st.integers(0, 99)}),
        "membership": st.fixed_dictionaries(
            {},
            optional={
                "rules_text": st.none() | st.just("1. 文明交流。"),
                "welcome": st.none() | st.fixed_dictionaries({}, optional={"window_seconds": st.integers(1, 60)}),
            },
        ),
    },
)
LAYERS = st.lists(CHANGES, max_size=4).map(
    lambda many: [PolicyLayer(f"layer {number}", changes) for number, changes in enumerate(many)]
)


def leaves(said: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in said.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*above, name))
        else:
            yield (*above, name), value


def says(layer: PolicyLayer, path: Sequence[str]) -> bool:
    """Whether the layer itself gives the value at the path."""
    value: Any = layer.changes
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return False
        value = value[name]
    return not isinstance(value, Mapping)


@given(LAYERS)
def test_a_layer_that_says_nothing_changes_nothing(layers: list[PolicyLayer]) -> None:
    for place in range(len(layers) + 1):
        assert merge_layers([*layers[:place], PolicyLayer("silent", {}), *layers[place:]]) == merge_layers(layers)


@given(CHANGES)
def test_saying_the_same_again_changes_nothing(changes: Changes) -> None:
    assert merge_layers([PolicyLayer("a", changes), PolicyLayer("b", changes)]) == merge_layers(
        [PolicyLayer("a", changes)]
    )


@given(LAYERS)
def test_of_each_value_the_last_word_counts_whoever_spoke_in_between(layers: list[PolicyLayer]) -> None:
    held = dict(leaves(merge_layers(layers).model_dump(mode="json")))
    for path, value in held.items():
        spoken = [layer for layer in layers if says(layer, path)]
        if spoken:
            alone = dict(leaves(merge_layers([spoken[-1]]).model_dump(mode="json")))
            assert value == alone[path]


@given(LAYERS)
def test_layers_below_do_not_care_how_those_above_came_about(layers: list[PolicyLayer]) -> None:
    """(a, b), c is a, (b, c): but for what was said about sections that are off, a whole can stand for its parts."""
    for place in range(len(layers) + 1):
        above, below = layers[:place], layers[place:]
        whole = merge_layers(above).model_dump(mode="json")
        if not any(value is None for value in whole.values()):
            assert merge_layers([PolicyLayer("whole", whole), *below]) == merge_layers(layers)


@given(LAYERS)
def test_every_value_is_explained_by_the_last_layer_that_says_it(layers: list[PolicyLayer]) -> None:
    rules = merge_layers(layers)
    origins = list_value_origins(layers, rules)
    assert {origin.path: origin.value for origin in origins} == dict(leaves(rules.model_dump(mode="json")))
    for origin in origins:
        spoken = [layer.source for layer in layers if says(layer, origin.path)]
        assert origin.source == (spoken[-1] if spoken else "built_in")


@given(CHANGES)
def test_what_is_kept_of_a_version_is_what_its_author_wrote(changes: Changes) -> None:
    rules = Rules.model_validate(changes)
    kept = dump_changes(rules)
    assert set(dict(leaves(kept))) == set(dict(leaves(changes)))
    assert Rules.model_validate(kept) == rules


@given(LAYERS, CHANGES)
def test_differences_are_none_between_equals_and_lead_from_one_to_the_other(
    layers: list[PolicyLayer], changes: Changes
) -> None:
    old = merge_layers(layers)
    assert diff_contents(old.model_dump(mode="json"), old.model_dump(mode="json")) == []
    new = merge_layers([*layers, PolicyLayer("new", changes)])
    held = dict(leaves(new.model_dump(mode="json")))
    found = diff_contents(old.model_dump(mode="json"), new.model_dump(mode="json"))
    for each in found:
        assert each.old != each.new
        assert held.get(each.path) == each.new
    assert bool(found) == (old != new)


def sections(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        choices = getattr(field.annotation, "__args__", (field.annotation,))
        for choice in choices:
            if isinstance(choice, type) and issubclass(choice, BaseModel):
                yield (*path, name)
                yield from sections(choice, (*path, name))


@pytest.mark.parametrize("path", list(sections(Rules)), ids="/".join)
def test_a_section_can_be_switched_on_without_saying_more(path: tuple[str, ...]) -> None:
    changes: dict[str, Any] = {}
    for name in reversed(path):
        changes = {name: changes}
    value: Any = merge_layers([PolicyLayer("new", changes)])
    for name in path:
        value = getattr(value, name)
    assert value is not None


def test_who_switches_a_section_on_again_finds_what_was_said_above() -> None:
    above = [PolicyLayer("default@1", {"quota": {"per_day": 3}}), PolicyLayer("vip@1", {"quota": None})]
    assert merge_layers(above).quota is None
    layers = [*above, PolicyLayer("group", {"quota": {"verdict": "block"}})]
    rules = merge_layers(layers)
    assert rules.quota is not None
    assert (rules.quota.per_day, rules.quota.verdict) == (3, "block")
    sources = {origin.path: origin.source for origin in list_value_origins(layers, rules)}
    assert sources["quota", "per_day"] == "default@1"
    assert sources["quota", "verdict"] == "group"
    assert sources["quota", "shadow"] == "built_in"


def test_lists_are_replaced_and_categories_are_not() -> None:
    layers = [
        PolicyLayer(
            "default@1", {"links": {"allowed_domains": ["a.example"]}, "lexicon": {"categories": {"gossip": "warn"}}}
        ),
        PolicyLayer("vip@1", {"links": {"allowed_domains": ["b.example"]}, "lexicon": {"categories": {"ads": None}}}),
    ]
    rules = merge_layers(layers)
    assert rules.links is not None
    assert rules.lexicon is not None
    assert rules.links.allowed_domains == ("b.example",)
    assert rules.lexicon.categories == {**BUILT_IN_POLICY.rules.lexicon.categories, "gossip": "warn", "ads": None}  # type: ignore[union-attr]


def test_layers_that_make_no_rules_together_are_objected_to_with_the_place() -> None:
    many = {f"c{number}": "warn" for number in range(59)}
    layers = [PolicyLayer("default@1", {"lexicon": {"categories": many}})]
    with pytest.raises(ValidationError):
        merge_layers(layers)
    (objection,) = validate_layers(layers)
    assert objection.path[:2] == ("lexicon", "categories")


VERSIONS = {
    "default": PolicyVersion("default", 2, {"quota": {"per_day": 4}}),
    "vip": PolicyVersion("vip", 3, {"links": None}),
}


def test_a_policy_that_is_not_in_force_leaves_the_group_to_the_default() -> None:
    assert build_policy(VERSIONS, GroupSettings(policy_id="gone")).label == "default@2"
    assert build_policy({}, GroupSettings(policy_id="gone")) == BUILT_IN_POLICY

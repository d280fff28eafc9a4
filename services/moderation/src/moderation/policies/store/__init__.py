"""Policies, groups and exceptions to rules in MongoDB."""

from collections.abc import Mapping, Sequence

from huiqun.store import Index
from moderation.policies.store import exceptions, group_records, versions
from moderation.policies.store.exceptions import Grant
from moderation.policies.store.group_records import (
    GroupRecord,
    Revisions,
    assign,
    group,
    groups,
    groups_of,
    groups_since,
    groups_with_own_rules,
    groups_without_versions,
    note_groups,
    set_modes,
    set_own_rules,
)
from moderation.policies.store.versions import (
    OWN_RULE_VERSIONS,
    POLICY_VERSIONS,
    in_force,
    note_backtest,
    revision,
    touch,
)

INDEXES: Mapping[str, Sequence[Index]] = {**versions.INDEXES, **group_records.INDEXES, **exceptions.INDEXES}

__all__ = [
    "INDEXES",
    "OWN_RULE_VERSIONS",
    "POLICY_VERSIONS",
    "Grant",
    "GroupRecord",
    "Revisions",
    "assign",
    "exceptions",
    "group",
    "groups",
    "groups_of",
    "groups_since",
    "groups_with_own_rules",
    "groups_without_versions",
    "in_force",
    "note_backtest",
    "note_groups",
    "revision",
    "set_modes",
    "set_own_rules",
    "touch",
]

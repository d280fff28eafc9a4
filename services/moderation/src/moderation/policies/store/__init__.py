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
    note_groups,
    set_modes,
    set_own_rules,
)
from moderation.policies.store.versions import (
    Head,
    Version,
    activate,
    add_version,
    head,
    heads,
    in_force,
    note_backtest,
    revision,
    touch,
    version,
)

INDEXES: Mapping[str, Sequence[Index]] = {**versions.INDEXES, **group_records.INDEXES, **exceptions.INDEXES}

__all__ = [
    "INDEXES",
    "Grant",
    "GroupRecord",
    "Head",
    "Revisions",
    "Version",
    "activate",
    "add_version",
    "assign",
    "exceptions",
    "group",
    "groups",
    "groups_of",
    "groups_since",
    "groups_with_own_rules",
    "head",
    "heads",
    "in_force",
    "note_backtest",
    "note_groups",
    "revision",
    "set_modes",
    "set_own_rules",
    "touch",
    "version",
    "versions",
]

"""Groups' own rules in versions."""

from collections.abc import Mapping, Sequence
from typing import Final

from huiqun.store import Index
from huiqun.versions.store import VersionStore

#: What is in force of these stands with the group as well.
OWN_RULE_VERSIONS: Final = VersionStore("own_rules", "own_rule_versions", "group_id", "changes")
OWN_RULE_INDEXES: Final[Mapping[str, Sequence[Index]]] = OWN_RULE_VERSIONS.indexes

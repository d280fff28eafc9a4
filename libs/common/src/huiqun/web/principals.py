"""Who is asking, and what they may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, get_args

Role = Literal["viewer", "operator", "moderator", "auditor", "admin"]
#: What a route can ask for: a role, or nothing at all because it verifies a signature or a token of its own.
Access = Role | Literal["anyone"]

ROLES: Final[frozenset[Role]] = frozenset(get_args(Role))
_IMPLIED: Final[dict[Role, frozenset[Role]]] = {
    "viewer": frozenset({"viewer"}),
    "operator": frozenset({"operator", "viewer"}),
    "moderator": frozenset({"moderator", "operator", "viewer"}),
    "auditor": frozenset({"auditor", "viewer"}),
    "admin": ROLES,
}


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller; `id` is stable and goes into the audit log."""

    id: str
    name: str
    roles: frozenset[Role]

    def may(self, access: Access) -> bool:
        """Say whether one of the caller's roles is or implies the one asked for."""
        return access == "anyone" or any(access in _IMPLIED[role] for role in self.roles)


ANONYMOUS: Final = Principal("anyone", "anyone", frozenset())


def known_roles(names: Iterable[object]) -> frozenset[Role]:
    """Keep the names that are roles of ours; an identity provider knows many more."""
    given = set(map(str, names))
    return frozenset(role for role in ROLES if role in given)

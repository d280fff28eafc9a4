"""The links by which a member agrees to the rules without any account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from huiqun.privacy.links import LinkGrant, LinkPurpose

CONSENT: Final = LinkPurpose("huiqun/moderation/consent", "/consent?token={token}", ("group", "member"))


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a link was made for."""

    group_id: str
    member_id: str

    @classmethod
    def from_link(cls, grant: LinkGrant) -> Self:
        """Whom a link says that it is for."""
        return cls(grant.claims["group"], grant.claims["member"])

    @property
    def claims(self) -> Mapping[str, str]:
        """The same as a link says it."""
        return {"group": self.group_id, "member": self.member_id}

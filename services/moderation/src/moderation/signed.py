"""The service's key: what personal data is hashed under, and the links that members are sent are signed with."""

from dataclasses import dataclass

from moderation.cases.model import AppealLinks
from moderation.membership.model.links import Links
from moderation.settings import Settings


@dataclass(frozen=True, slots=True)
class SignedLinks:
    """Whoever has one of these has a right: to agree to a group's rules, to appeal against a sanction."""

    consents: Links
    appeals: AppealLinks


def signed_links(settings: Settings) -> SignedLinks:
    """The links of this service."""
    secret = settings.hash_key.get_secret_value()
    return SignedLinks(Links.under(secret, settings.public_url), AppealLinks(hash_key(settings), settings.public_url))


def hash_key(settings: Settings) -> bytes:
    """The key of the hashes of personal data."""
    return settings.hash_key.get_secret_value().encode()

"""Groups on a real database, with a clock that tests set, as those of membership use them."""

from tests.moderation.membership.conftest import client, community, database_of_communities

__all__ = ["client", "community", "database_of_communities"]

"""The documents of crm-sync: their indexes, what a migration changes in them, and what is held there of a person."""

from collections.abc import Mapping, Sequence

from crm_sync.customers.personal_data import CUSTOMER_HOLDINGS
from crm_sync.customers.store import CUSTOMER_INDEXES, FORMER_RECORDS, list_customer_accounts
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.store import DIRECTORY_INDEXES
from huiqun.privacy.erasure.handlers import PersonRequests
from huiqun.privacy.erasure.shared import shared_holdings
from huiqun.store import Index
from huiqun.tasks.migrations import MIGRATION_INDEXES, Migration

SERVICE = "crm-sync"
INDEXES: Mapping[str, Sequence[Index]] = {**DIRECTORY_INDEXES, **MIGRATION_INDEXES, **CUSTOMER_INDEXES}


def migrations(directory: Directory) -> Sequence[Migration]:
    """What the documents of the release before become in this one."""
    return [former.migration(directory) for former in FORMER_RECORDS]


def person_requests(directory: Directory) -> PersonRequests:
    """What is done when somebody asks to be erased, or to see their data."""
    holdings = (*shared_holdings(SERVICE, directory), *CUSTOMER_HOLDINGS)
    return PersonRequests(SERVICE, holdings, directory, resolve=list_customer_accounts)

"""The documents of survey: their indexes, what a migration changes in them, and what is held there of a person."""

from collections.abc import Mapping, Sequence

from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.store import DIRECTORY_INDEXES
from huiqun.privacy.erasure.handlers import PersonRequests
from huiqun.privacy.erasure.shared import shared_holdings
from huiqun.store import Index
from huiqun.tasks.migrations import MIGRATION_INDEXES, Migration
from survey.eligibility.personal_data import ELIGIBILITY_HOLDINGS
from survey.eligibility.store import ELIGIBILITY_INDEXES, FORMER_RECORDS

SERVICE = "survey"
INDEXES: Mapping[str, Sequence[Index]] = {**DIRECTORY_INDEXES, **MIGRATION_INDEXES, **ELIGIBILITY_INDEXES}


def migrations(directory: Directory) -> Sequence[Migration]:
    """What the documents of the release before become in this one."""
    return [former.migration(directory) for former in FORMER_RECORDS]


def person_requests(directory: Directory) -> PersonRequests:
    """What is done when somebody asks to be erased, or to see their data."""
    holdings = (*shared_holdings(SERVICE, directory), *ELIGIBILITY_HOLDINGS)
    return PersonRequests(SERVICE, holdings, directory)

"""Members, consents, the state of groups, staff and roster reports in MongoDB."""

from collections.abc import Mapping, Sequence

from huiqun.store import Index
from moderation.membership.store import consent_states, consents, groups, staff

INDEXES: Mapping[str, Sequence[Index]] = {
    **consent_states.INDEXES,
    **consents.INDEXES,
    **groups.INDEXES,
    **staff.INDEXES,
}

"""The documents of incidents in MongoDB: plans, incidents with their timelines, holds on groups, delegations."""

from collections.abc import Mapping, Sequence

from huiqun.store import Index
from moderation.incidents.store import delegations, incidents, modes, plans

INDEXES: Mapping[str, Sequence[Index]] = {
    **plans.INDEXES,
    **incidents.INDEXES,
    **modes.INDEXES,
    **delegations.INDEXES,
}

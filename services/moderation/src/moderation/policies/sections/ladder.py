"""What a policy says about sanctions: how they climb."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from moderation.policies.sections.section import Category, Minutes, PolicyFault, PolicySection

Points = Annotated[float, Field(gt=0, le=1_000)]
Weight = Annotated[float, Field(ge=0, le=100)]


class Ladder(PolicySection):
    """How sanctions climb: each offence at most one rung, and only as high as the decayed score allows."""

    scores: tuple[Points, Points, Points, Points, Points] = Field(
        default=(1, 2, 4, 6, 8),
        description="Least scores of the five rungs: a warning, three mutes, the proposal to remove.",
        examples=[[1, 2, 4, 6, 8]],
    )
    mute_minutes: tuple[Minutes, Minutes, Minutes] = Field(
        default=(10, 60, 1440), description="Minutes that each of the three mutes lasts.", examples=[[10, 60, 1440]]
    )
    half_life_hours: float = Field(
        default=168, ge=0.1, le=8_760, description="Hours after which an offence counts half.", examples=[168]
    )
    grace_seconds: int = Field(
        default=60,
        ge=0,
        le=3_600,
        description="Seconds that a member has to read a sanction before the next one.",
        examples=[60],
    )
    weights: dict[Category, Weight] = Field(
        default={"quota": 0.5, "length": 0.5, "flood": 1.0, "duplicate": 1.0, "quiet_hours": 0.5, "personal_data": 0.0},
        max_length=100,
        description="What an offence of a category counts; 1 where none is given, and twice that when blocked.",
        examples=[{"quota": 0.5, "abuse": 2}],
    )

    def list_faults(self) -> Iterator[PolicyFault]:
        """Find rungs that are easier to reach, or milder, than the one below."""
        if any(later < earlier for earlier, later in pairwise(self.scores)):
            yield PolicyFault(("scores",), "A higher rung needs at least the score of the one below.")
        if any(later < earlier for earlier, later in pairwise(self.mute_minutes)):
            yield PolicyFault(("mute_minutes",), "A later mute lasts at least as long as the one before.")

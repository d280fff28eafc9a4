"""What the sections of a policy are written with."""

import string
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from huiqun.contracts.moderation import Verdict
from huiqun.privacy.text import ComparedText

Category = Annotated[str, ComparedText(pattern=r"^[\w-]{1,64}$")]
Minutes = Annotated[int, Field(ge=1, le=43_200)]
Outcome = Literal[Verdict.WARN, Verdict.REVIEW, Verdict.BLOCK]

_CRON_FIELDS = 5
_LEAST_GAP = timedelta(hours=1)
_LOOKED_AT = 50
_SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)


class Values(BaseModel):
    """Values an operator writes: a field that is not known is an error, because it would do nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def next_due(schedule: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    """When a cron expression, read in `zone`, is due next after `after`, in UTC; None if never again."""
    return next(_firings(schedule, after.astimezone(zone)), None)


def _firings(schedule: str, start: datetime) -> Iterator[datetime]:
    return (moment.astimezone(UTC) for moment in CronSim(schedule, start))


def _fit_schedule(schedule: str) -> str:
    if len(schedule.split()) != _CRON_FIELDS:
        raise ValueError("a schedule has five fields: minute, hour, day of the month, month, day of the week")
    try:
        due = list(islice(_firings(schedule, _SOME_DAY), _LOOKED_AT))
    except CronSimError as error:
        raise ValueError(f"not a cron expression: {error}") from error
    if not due:
        raise ValueError("a day on which it is due never comes")
    if any(later - earlier < _LEAST_GAP for earlier, later in pairwise(due)):
        raise ValueError("it is due more than once an hour, which members would take for spam")
    return schedule


Schedule = Annotated[str, StringConstraints(max_length=100), AfterValidator(_fit_schedule)]


def fields_of(text: str) -> set[str]:
    """The names in braces; ValueError where a brace stands alone or holds more than a name."""
    found = set()
    for _, name, form, conversion in string.Formatter().parse(text):
        if name is None:
            continue
        if form or conversion or not name.isidentifier():
            raise ValueError("only a plain name may stand in braces; write {{ and }} for the braces themselves")
        found.add(name)
    return found


def with_fields(*names: str) -> Any:  # noqa: ANN401 - what pydantic looks for in Annotated
    """Mark a text in which these names may stand in braces, and no others."""

    def check(text: str) -> str:
        if unknown := sorted(fields_of(text) - set(names)):
            there_are = f"there are {', '.join(f'{{{name}}}' for name in names)}" if names else "there are none here"
            raise ValueError(f"nobody knows {{{unknown[0]}}}; {there_are}")
        return text

    return AfterValidator(check)

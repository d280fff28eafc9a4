"""The envelope around every event: CloudEvents 1.0 in JSON, structured mode."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from operator import methodcaller
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from huiqun.contracts.topics import SERVICES, Topic
from huiqun.privacy.text import refuse_personal_data
from huiqun.runtime.ids import new_id

# No white space and no slash: ids are joined with a slash to make keys of documents.
Id = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\s/\x00-\x1f\x7f]+$")]

# A clock that is decades off is a defect of the sender; such an event is refused rather than kept with a wrong date.
# In UTC from here on: moments of one zone compare in a tenth of the time.
Instant = Annotated[
    AwareDatetime,
    Field(ge=datetime(2011, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC), examples=["2026-11-22T08:00:00Z"]),
    AfterValidator(methodcaller("astimezone", UTC)),
]

# Clocks that are set agree within seconds. What is said to have happened later than this from now did not.
CLOCK_TOLERANCE = timedelta(minutes=5)

Traceparent = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")]


@lru_cache(maxsize=1_024)  # there are few, and each event has one
def _names_nobody(source: str) -> str:
    return source if _CORPORATION.fullmatch(source) else refuse_personal_data(source)


# A part of every identity, so it is kept as it is: it must be no text, and nobody's number. The id that WeCom gives a
# corporation is hexadecimal, in which a number may stand by chance.
_CORPORATION = re.compile(r"[a-z]+/w[wx][0-9a-f]{16}")
Source = Annotated[
    str,
    StringConstraints(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9][A-Za-z0-9._~:/-]*$"),
    AfterValidator(_names_nobody),
]


class Payload(BaseModel):
    """What an event says; fields that a reader does not know are ignored."""

    # Built when it is first used: no process needs all of the contracts, and none has to wait for them to start.
    model_config = ConfigDict(defer_build=True, frozen=True, extra="ignore")

    #: The fields that say when something happened; a plan, such as a deadline, may lie in the future.
    happened: ClassVar[tuple[str, ...]] = ()

    def clamp_times(self, now: datetime) -> Self:
        """The payload as it counts when it is received at `now`: no time of it lies ahead of our own clock."""
        ahead = [name for name in self.happened if _is_ahead(getattr(self, name), now)]
        return self.model_copy(update=dict.fromkeys(ahead, now)) if ahead else self


class Event(BaseModel):
    """An event in its envelope; subclasses fix `type`, `data`, `topic` and the default `source`."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="ignore")

    topic: ClassVar[Topic]
    default_source: ClassVar[str]
    #: Nobody sends it yet: it may change, is in no table of events, and cannot be encoded.
    planned: ClassVar[bool] = False

    specversion: Literal["1.0"] = "1.0"
    id: Id = Field(description="Unique, and the same when the event is published again", examples=["0192f3c1-evt"])
    source: Source = Field(
        description="Who published it: a service, or the corporation of a gateway", examples=["huiqun/moderation"]
    )
    type: str
    time: Instant = Field(description="When it happened, RFC 3339 in UTC", examples=["2026-11-22T08:00:00Z"])
    subject: Id = Field(description="The group or customer it is about; also the record's key", examples=["group-1"])
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str | None = Field(default=None, max_length=512, description="Where the schema of `data` stands")
    traceparent: Traceparent | None = Field(default=None, description="W3C trace context of what caused it")
    data: Any

    @property
    def identity(self) -> str:
        """What makes two deliveries the same event; the inbox keeps it. An id is unique within its source only.

        Ids hold no white space and begin with no slash, so that no two pairs read alike.
        """
        return f"{self.id} {self.source}"

    @property
    def fingerprint(self) -> bytes:
        """What tells apart two contents under one identity, eight bytes; zeros where nobody looks at the content."""
        return NO_FINGERPRINT

    def clamp_times(self, now: datetime) -> Self:
        """The event as it counts when it is received at `now`.

        A time that is further ahead than CLOCK_TOLERANCE comes from a broken clock, and would be the latest word for
        years. It is taken for the time of receipt. What our own services publish has been received before.
        """
        data = self.data
        ahead = self.time > now
        for name in data.happened:
            moment = getattr(data, name)
            ahead = ahead or (moment is not None and moment > now)
        if not ahead or self.topic.owner in SERVICES:
            return self
        data, time = data.clamp_times(now), now if _is_ahead(self.time, now) else self.time
        if data is self.data and time is self.time:
            return self
        return self.model_copy(update={"data": data, "time": time})

    @classmethod
    def create(
        cls, subject: str, data: Payload, *, time: datetime, cause: "Event | None" = None, source: str | None = None
    ) -> Self:
        """A new event on `subject`; with a `cause`, its trace is carried on."""
        return cls(
            id=new_id(),
            source=source or cls.default_source,
            time=time,
            subject=subject,
            traceparent=cause.traceparent if cause is not None else None,
            data=data,
        )  # type: ignore[call-arg]


#: The fingerprint of an event whose identity says all.
NO_FINGERPRINT = bytes(8)


def _is_ahead(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now and moment - now > CLOCK_TOLERANCE


Model = TypeVar("Model", bound=BaseModel)
_put = object.__setattr__


def construct_unchecked(model: type[Model], fields: dict[str, Any]) -> Model:
    """A model from all of its fields, taken as they are: for what is made by the thousand of values that were checked.

    `model_construct` means the same, and takes longer than checking everything again.
    """
    made = model.__new__(model)
    _put(made, "__dict__", fields)
    _put(made, "__pydantic_fields_set__", _names(model))
    _put(made, "__pydantic_extra__", None)
    _put(made, "__pydantic_private__", None)
    return made


@cache
def _names(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)

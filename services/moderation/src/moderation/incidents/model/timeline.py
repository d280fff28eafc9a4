"""What happened in an incident, one entry after the other."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from huiqun.runtime.ids import new_id


class What(StrEnum):
    """The kinds of entries."""

    OPENED = "opened"
    ASSIGNED = "assigned"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    STEP_DONE = "step_done"
    STEP_MISSED = "step_missed"
    MODE_CHANGED = "mode_changed"
    MODE_ENDED = "mode_ended"
    MESSAGE_POSTED = "message_posted"
    NOTED = "noted"
    SHADOW_EVENT = "shadow_event"
    CONTAINED = "contained"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what, or what happened; `actions` are the ids of what was asked of the channel, or would have been."""

    incident_id: str
    at: datetime
    actor: str
    what: What
    text: str = ""
    step: str | None = None
    actions: tuple[str, ...] = ()
    id: str = field(default_factory=new_id)

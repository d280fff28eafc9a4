"""The unit of work: state, inbox, tasks and outgoing records in one transaction; then the records are published."""

from collections.abc import Mapping, Sequence

from huiqun.store import Index
from huiqun.work.inbox import INBOX_INDEXES
from huiqun.work.outbox import OUTBOX_INDEXES
from huiqun.work.parked import PARKED_INDEXES
from huiqun.work.relay import Relay
from huiqun.work.task import Progress, Recurrence, Task
from huiqun.work.transactor import Transactor
from huiqun.work.unit_of_work import Work

WORK_INDEXES: Mapping[str, Sequence[Index]] = {**INBOX_INDEXES, **OUTBOX_INDEXES, **PARKED_INDEXES}

__all__ = ["WORK_INDEXES", "Progress", "Recurrence", "Relay", "Task", "Transactor", "Work"]

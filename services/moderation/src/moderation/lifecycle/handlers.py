"""Track the revisions of messages, and record recalls. Nobody changes what somebody else has written."""

from collections.abc import Iterable, Mapping, Sequence

from huiqun.contracts.channel import MessageEdited, MessageRecalled, MessageReceived
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import JudgedMessageRecalled, RecalledMessage, Screened
from huiqun.work import Work
from moderation.archive.handlers import find_revisions, mark_messages_recalled
from moderation.archive.model import ArchivedMessage, MessageRef, RevisionKey
from moderation.lifecycle import store
from moderation.lifecycle.model import (
    EarlyChanges,
    EarlyChangeUpdate,
    MessageHistory,
    RevisionState,
    StaffMembers,
    message_ref_of,
)
from moderation.metrics import CHANGES_REFUSED
from moderation.sanctions.handlers import withdraw_deletions
from moderation.staff.handlers import list_staff_members

MessageEvent = MessageReceived | MessageEdited
_UNCHANGED = RevisionState()
_NOT_THE_AUTHOR = "an edit by somebody who has not written the message"
_NOT_ENTITLED = "a recall by somebody who has not written the message and is no staff of its group"
_NO_ROOM = "a recall of a message that has not come, as too many others of its group"


async def track_revisions(
    work: Work, events: Sequence[MessageEvent], archived: Mapping[MessageRef, Sequence[ArchivedMessage]]
) -> tuple[list[RevisionState | None], EarlyChangeUpdate]:
    """Where each revision stands among those that have come; None for an edit that is not its author's: it is refused.

    One read for the batch, and nothing written: `save_early_change_update` does. `archived` are the revisions of those
    that are edited.
    """
    early = await store.find_early_changes(work, list(map(_key_of, events)))
    if not early and all([type(event) is MessageReceived for event in events]):  # noqa: C419 - faster, and usual
        return [_UNCHANGED] * len(events), EarlyChangeUpdate()
    refs = list(map(message_ref_of, events))
    stored = frozenset(early)
    originals = _list_originals(events, archived)
    staff = await _staff_among(work, events, early.values()) if early else frozenset()
    waiting: dict[MessageRef, EarlyChanges] = {}
    states: list[RevisionState | None] = []
    for event, ref in zip(events, refs, strict=True):
        author = event.data.sender.member_id
        original = originals.get(ref)
        if original is None and isinstance(event, MessageReceived):
            changes = early.get(ref) or EarlyChanges(ref)
            original = originals[ref] = MessageHistory(
                author, changes.edits.get(author, 0), changes.find_valid_recaller(author, staff)
            )
            waiting.pop(ref, None)
            if changes.recalls and original.recalled_by is None:
                CHANGES_REFUSED.labels(change="recall").inc()
        if original is None:
            waiting[ref] = changes = early.setdefault(ref, EarlyChanges(ref))
            superseded = changes.note_edit(author, _revision(event))
            state = RevisionState(superseded, changes.find_valid_recaller(author, staff))
        elif original.author == author:
            state = RevisionState(original.revision > _revision(event), original.recalled_by)
            original.revision = max(original.revision, _revision(event))
        else:
            _refuse_change(work, event, _NOT_THE_AUTHOR, "edit")
            states.append(None)
            continue
        states.append(state)
    arrived = [ref for ref in stored if ref not in waiting]
    return states, EarlyChangeUpdate(waiting.values(), stored, arrived)


async def save_early_change_update(work: Work, update: EarlyChangeUpdate) -> None:
    """Remember edits that came before their messages, in groups that do not have too many; forget what has arrived."""
    room = await _list_groups_with_room(work, (each.ref for each in update.waiting if each.ref not in update.known))
    kept = [each for each in update.waiting if each.ref in update.known or each.ref.group_id in room]
    await store.save_early_changes(work, kept)
    await store.delete_early_changes(work, update.arrived)


async def record_recalls(work: Work, events: Sequence[MessageRecalled]) -> None:
    """Note withdrawn messages, which need no deletion any more; what was judged stays judged.

    One that comes before its message is remembered. One by somebody who is neither author nor staff is refused.
    """
    refs = {MessageRef(event.data.message_id, event.data.group_id, event.source) for event in events}
    archived = await find_revisions(work, refs)
    absent = refs - {ref for ref, found in archived.items() if found[0].revision == 0}
    early = await store.find_early_changes(work, [store.early_changes_key(*ref) for ref in absent])
    staff = await list_staff_members(work, {(event.data.group_id, event.data.recalled_by) for event in events})
    room = await _list_groups_with_room(work, (ref for ref in absent if ref not in early))
    recalls: dict[RevisionKey, str] = {}
    withdrawn: set[MessageRef] = set()
    waiting: dict[MessageRef, EarlyChanges] = {}
    for event in events:
        ref, by = MessageRef(event.data.message_id, event.data.group_id, event.source), event.data.recalled_by
        revisions = archived.get(ref, [])
        entitled = (ref.group_id, by) in staff or any(each.document["member_id"] == by for each in revisions)
        if revisions and revisions[0].revision == 0:
            if (ref.group_id, by) not in staff and revisions[0].document["member_id"] != by:
                _refuse_change(work, event, _NOT_ENTITLED, "recall")
                continue
            if revisions[0].key not in recalls and "recalled_by" not in revisions[0].document:
                recalls[revisions[0].key] = by
                announce_recall(work, revisions[0].to_screened(), by, event)
        elif ref in early or ref.group_id in room:
            waiting[ref] = changes = early.setdefault(ref, EarlyChanges(ref))
            changes.note_recall(by)
        else:
            _refuse_change(work, event, _NO_ROOM, "recall")
        if entitled:
            withdrawn.add(ref)
    await mark_messages_recalled(work, recalls)
    await store.save_early_changes(work, waiting.values())
    await withdraw_deletions(work, withdrawn)


def announce_recall(work: Work, message: Screened, recalled_by: str, cause: Event) -> None:
    """Tell the other services that a message they have read is withdrawn; once, whoever else withdraws it again."""
    data = RecalledMessage(
        channel=message.channel,
        message_id=message.message_id,
        group_id=message.group_id,
        member_id=message.member_id,
        recalled_by=recalled_by,
        verdict=message.verdict,
    )
    work.emit(JudgedMessageRecalled.create(message.group_id, data, time=work.now, cause=cause))


def _key_of(event: MessageEvent) -> str:
    return store.early_changes_key(event.data.message_id, event.data.group_id, event.source)


def _list_originals(
    events: Sequence[MessageEvent], archived: Mapping[MessageRef, Sequence[ArchivedMessage]]
) -> dict[MessageRef, MessageHistory]:
    """The messages that are edited, as far as they have come as they were first sent."""
    edited = {message_ref_of(event) for event in events if isinstance(event, MessageEdited)}
    found = {ref: archived[ref] for ref in edited if ref in archived}
    return {ref: _history(revisions) for ref, revisions in found.items() if revisions[0].revision == 0}


def _history(revisions: Sequence[ArchivedMessage]) -> MessageHistory:
    original = revisions[0].document
    author = str(original["member_id"])
    latest = max(each.revision for each in revisions if each.document["member_id"] == author)
    return MessageHistory(author, latest, original.get("recalled_by"))


async def _staff_among(work: Work, events: Sequence[MessageEvent], early: Iterable[EarlyChanges]) -> StaffMembers:
    """Those staff who have recalled messages of these authors before they came."""
    authors: Mapping[MessageRef, str] = {message_ref_of(event): event.data.sender.member_id for event in events}
    strangers = {pair for changes in early for pair in changes.recallers_besides(authors[changes.ref])}
    return await list_staff_members(work, strangers)


async def _list_groups_with_room(work: Work, refs: Iterable[MessageRef]) -> set[str]:
    """The groups of these messages in which another one may have changes before it comes; each is asked for once."""
    groups = {ref.group_id for ref in refs}
    return {group_id for group_id in groups if await store.has_room_for_changes(work, group_id)}


def _revision(event: MessageEvent) -> int:
    return event.data.revision if isinstance(event, MessageEdited) else 0


def _refuse_change(work: Work, event: MessageEvent | MessageRecalled, reason: str, change: str) -> None:
    work.refuse(event, reason)
    CHANGES_REFUSED.labels(change=change).inc()

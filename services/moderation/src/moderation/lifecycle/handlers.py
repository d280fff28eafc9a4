"""Tell where each revision of a message stands, and take in recalls. Nobody changes what somebody else has written."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from huiqun.contracts.channel import MessageEdited, MessageRecalled, MessageReceived
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import JudgedMessageRecalled, RecalledMessage, Screened
from huiqun.work import Work
from moderation.archive import store as archive
from moderation.archive.model import MessageRef, RevisionKey
from moderation.archive.store.messages import Archived, screened
from moderation.enforcement.handlers import spare_deletions
from moderation.lifecycle import store
from moderation.lifecycle.model import EarlyChanges, History, Place, StaffMembers
from moderation.membership.handlers.staffing import find_staff_among
from moderation.metrics import CHANGES_REFUSED

Messages = MessageReceived | MessageEdited
_UNCHANGED = Place()
_NOT_THE_AUTHOR = "an edit by somebody who has not written the message"
_NOT_ENTITLED = "a recall by somebody who has not written the message and is no staff of its group"
_NO_ROOM = "a recall of a message that has not come, as too many others of its group"


async def place_messages(work: Work, events: Sequence[Messages]) -> list[Place | None]:
    """Where each revision stands among those that have come; None for an edit that is not its author's: it is refused.

    One read for the batch, and another where it has edits.
    """
    early = await store.load(work, list(map(_key_of, events)))
    if not early and all([type(event) is MessageReceived for event in events]):  # noqa: C419 - faster, and usual
        return [_UNCHANGED] * len(events)
    refs = list(map(ref_of, events))
    stored = frozenset(early)
    originals = await _originals(work, events)
    staff = await _staff_among(work, events, early.values()) if early else frozenset()
    waiting: dict[MessageRef, EarlyChanges] = {}
    places: list[Place | None] = []
    for event, ref in zip(events, refs, strict=True):
        author = event.data.sender.member_id
        original = originals.get(ref)
        if original is None and isinstance(event, MessageReceived):
            changes = early.get(ref) or EarlyChanges(ref)
            original = originals[ref] = History(
                author, changes.edits.get(author, 0), changes.recalled_by(author, staff)
            )
            waiting.pop(ref, None)
            if changes.recalls and original.recalled_by is None:
                CHANGES_REFUSED.labels(change="recall").inc()
        if original is None:
            waiting[ref] = changes = early.setdefault(ref, EarlyChanges(ref))
            superseded = changes.note_edit(author, _revision(event))
            place = Place(superseded, changes.recalled_by(author, staff))
        elif original.author == author:
            place = Place(original.revision > _revision(event), original.recalled_by)
            original.revision = max(original.revision, _revision(event))
        else:
            _refuse(work, event, _NOT_THE_AUTHOR, "edit")
            places.append(None)
            continue
        places.append(place)
    await _remember(work, waiting.values(), known=stored)
    await store.forget(work, [ref for ref in stored if ref not in waiting])
    return places


async def recall_messages(work: Work, events: Sequence[MessageRecalled]) -> None:
    """Note withdrawn messages, which need no deletion any more; what was judged stays judged.

    One that comes before its message is remembered. One by somebody who is neither author nor staff is refused.
    """
    refs = {MessageRef(event.data.message_id, event.data.group_id, event.source) for event in events}
    archived = await archive.find_revisions(work, refs)
    absent = refs - {ref for ref, found in archived.items() if found[0].revision == 0}
    early = await store.load(work, [store.key_of(*ref) for ref in absent])
    staff = await find_staff_among(work, {(event.data.group_id, event.data.recalled_by) for event in events})
    recalls: dict[RevisionKey, str] = {}
    withdrawn: set[MessageRef] = set()
    waiting: dict[MessageRef, EarlyChanges] = {}
    for event in events:
        ref, by = MessageRef(event.data.message_id, event.data.group_id, event.source), event.data.recalled_by
        revisions = archived.get(ref, [])
        entitled = (ref.group_id, by) in staff or any(each.document["member_id"] == by for each in revisions)
        if revisions and revisions[0].revision == 0:
            if (ref.group_id, by) not in staff and revisions[0].document["member_id"] != by:
                _refuse(work, event, _NOT_ENTITLED, "recall")
                continue
            if revisions[0].key not in recalls and "recalled_by" not in revisions[0].document:
                recalls[revisions[0].key] = by
                announce_recall(work, screened(revisions[0]), by, event)
        elif ref in early or await store.has_room(work, ref.group_id):
            waiting[ref] = changes = early.setdefault(ref, EarlyChanges(ref))
            changes.note_recall(by)
        else:
            _refuse(work, event, _NO_ROOM, "recall")
        if entitled:
            withdrawn.add(ref)
    await archive.mark_recalled(work, recalls)
    await store.save(work, waiting.values())
    await spare_deletions(work, withdrawn)


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


def ref_of(event: Messages) -> MessageRef:
    """The message that the event is about."""
    return MessageRef(event.data.message_id, event.data.group_id, event.source)


def _key_of(event: Messages) -> str:
    return store.key_of(event.data.message_id, event.data.group_id, event.source)


async def _originals(work: Work, events: Sequence[Messages]) -> dict[MessageRef, History]:
    """The messages that are edited, as far as they have come as they were first sent."""
    edited = {ref_of(event) for event in events if isinstance(event, MessageEdited)}
    if not edited:
        return {}
    found = await archive.find_revisions(work, edited)
    return {ref: _history(revisions) for ref, revisions in found.items() if revisions[0].revision == 0}


def _history(revisions: Sequence[Archived]) -> History:
    original = revisions[0].document
    author = str(original["member_id"])
    latest = max(each.revision for each in revisions if each.document["member_id"] == author)
    return History(author, latest, original.get("recalled_by"))


async def _staff_among(work: Work, events: Sequence[Messages], early: Iterable[EarlyChanges]) -> StaffMembers:
    """Those staff who have recalled messages of these authors before they came."""
    authors: Mapping[MessageRef, str] = {ref_of(event): event.data.sender.member_id for event in events}
    strangers = {pair for changes in early for pair in changes.strangers_to(authors[changes.ref])}
    return await find_staff_among(work, strangers)


async def _remember(work: Work, waiting: Collection[EarlyChanges], known: Collection[MessageRef]) -> None:
    """Keep the edits that came before their messages, for those groups that do not have too many."""
    kept = [each for each in waiting if each.ref in known or await store.has_room(work, each.ref.group_id)]
    await store.save(work, kept)


def _revision(event: Messages) -> int:
    return event.data.revision if isinstance(event, MessageEdited) else 0


def _refuse(work: Work, event: Messages | MessageRecalled, reason: str, change: str) -> None:
    work.refuse(event, reason)
    CHANGES_REFUSED.labels(change=change).inc()

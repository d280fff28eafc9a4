"""Keep the directory up to date with what the channel tells, and read out the names in it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from huiqun.channel.directory.fold import (
    DirectoryChanges,
    DirectoryEvent,
    DirectoryFold,
    DirectorySnapshot,
    WrittenMessage,
    account_of,
    accounts_in,
    group_ids_in,
    member_keys_in,
    sender_key_of,
)
from huiqun.channel.directory.model import DirectoryGroup, DirectoryMember, StampedValue, latest_value, member_key
from huiqun.channel.directory.store import (
    delete_members,
    list_members_missing_from_listing,
    list_unerased_memberships,
    read_directory,
    save_directory,
)
from huiqun.contracts.fields import DEFAULT_CHANNEL, Account
from huiqun.privacy.encryption import SERVICE_KEY, FieldEncryption
from huiqun.privacy.names import PersonName, PlatformId
from huiqun.privacy.suppression import SuppressionList
from huiqun.runtime.time_slice import TimeSlice
from huiqun.work import Work


@dataclass(frozen=True, slots=True)
class PersonalDetails:
    """What somebody is called, and their ids elsewhere by kind."""

    display_name: str = field(default="", repr=False)
    external_ids: dict[str, str] = field(default_factory=dict, repr=False)


class Directory:
    """The use cases of the directory; names and ids are encrypted under the service's key.

    Who was erased is found on the suppression list once the directory has nothing of them any more.
    """

    def __init__(self, encryption: FieldEncryption, suppression: SuppressionList) -> None:
        self.encryption = encryption
        self.suppression = suppression

    async def record_events(self, work: Work, events: Sequence[DirectoryEvent]) -> DirectoryChanges:
        """Take in what the channel tells of groups and members: one read and one write for the batch.

        Where a listing has come whole, another read finds who is not on it; where members are new, whether they were
        erased.
        """
        known = await read_directory(work, group_ids_in(events), member_keys_in(events))
        fold = DirectoryFold(await self._with_erased(work, known, accounts_in(events)))
        for event in events:
            fold.apply_event(event)
        changes = fold.changes
        for member in await list_members_missing_from_listing(work, changes.listed.values()):
            fold.mark_if_unlisted(fold.members.setdefault(member.key, member), was_present=member.is_present)
        await self._encrypt(changes.members.values())
        await save_directory(work, changes.groups.values(), changes.members.values())
        return changes

    async def merge_former_records(
        self, work: Work, groups: Collection[DirectoryGroup], members: Collection[DirectoryMember]
    ) -> None:
        """Take in what was known of groups and members before there was a directory."""
        pairs = [(member.group_id, member.member_id) for member in members]
        known = await read_directory(work, [group.group_id for group in groups], pairs)
        accounts = {
            (each.group_id, each.member_id): Account(each.channel or DEFAULT_CHANNEL, each.member_id)
            for each in members
        }
        fold = DirectoryFold(await self._with_erased(work, known, accounts))
        fold.merge(groups, members)
        await self._encrypt(fold.changes.members.values())
        await save_directory(work, fold.changes.groups.values(), fold.changes.members.values())

    async def record_senders(self, work: Work, messages: Sequence[WrittenMessage]) -> DirectorySnapshot:
        """Note who wrote, of those of whom the channel has said nothing; returns the senders and their groups.

        Nothing is written for those whom the channel has told of.
        """
        known = await read_directory(work, members=map(sender_key_of, messages))
        fold = DirectoryFold(
            await self._with_erased(work, known, {sender_key_of(each): account_of(each) for each in messages})
        )
        for message in messages:
            fold.apply_sender(message)
        changed = fold.changes.members
        # A listing that comes at the same time must see who is new, or be seen by who notes them.
        strangers = {member.group_id for key, member in changed.items() if key not in known.members}
        await save_directory(work, (), changed.values(), touched=sorted(strangers))
        return fold.changes.directory

    async def reveal_personal_details(self, members: Iterable[DirectoryMember]) -> dict[str, PersonalDetails]:
        """Read out names and ids, by key; whoever shows them to somebody audits the reading."""
        found, time_slice = {}, TimeSlice()
        for member in members:
            found[member.key] = await self._details(member)
            if time_slice.is_spent:
                await time_slice.yield_to_loop()
        return found

    async def find_display_name(self, memberships: Iterable[DirectoryMember]) -> str:
        """Read out the latest name of a person with these memberships; empty if none is known."""
        latest = latest_value(*(member.name for member in memberships))
        return await self._plain(latest.value) if latest is not None else ""

    async def erase_memberships(self, work: Work, accounts: Collection[Account], at: datetime, limit: int) -> int:
        """Erase up to `limit` memberships of these accounts, as they were until `at`; returns how many there were.

        Who is in a group stays there without a name and ids; who has gone from it was never there.
        """
        found = await list_unerased_memberships(work, accounts, at, limit)
        groups = await read_directory(work, {member.group_id for member in found})
        present = [each for each in found if each.is_present and groups.group(each.group_id).dismissed_at is None]
        for member in present:
            member.erase(at)
        await save_directory(work, (), present)
        await delete_members(work, {each.key for each in found} - {each.key for each in present})
        return len(found)

    async def _with_erased(
        self, work: Work, known: DirectorySnapshot, accounts: Mapping[tuple[str, str], Account]
    ) -> DirectorySnapshot:
        """Add those of whom nothing is known because they were erased; one read, where anybody is not known."""
        strangers = {pair: each for pair, each in accounts.items() if member_key(*pair) not in known.members}
        erased = await self.suppression.find_suppressed(work, set(strangers.values()))
        if not erased:
            return known
        forgotten = {
            member_key(*pair): DirectoryMember(*pair, erased_at=erased[account])
            for pair, account in strangers.items()
            if account in erased
        }
        return DirectorySnapshot(known.groups, {**known.members, **forgotten})

    async def _details(self, member: DirectoryMember) -> PersonalDetails:
        name = await self._plain(member.name.value) if member.name is not None else ""
        return PersonalDetails(name, {kind: await self._plain(told.value) for kind, told in member.ids.items()})

    async def _encrypt(self, members: Iterable[DirectoryMember]) -> None:
        time_slice = TimeSlice()
        for member in members:
            if time_slice.is_spent:
                await time_slice.yield_to_loop()
            if member.name is not None:
                member.name = StampedValue(await self._encrypted(member.name.value), member.name.stamp)
            for kind, told in member.ids.items():
                member.ids[kind] = StampedValue(await self._encrypted(told.value), told.stamp)

    async def _encrypted(self, value: PersonName | PlatformId | bytes) -> bytes:
        return value if isinstance(value, bytes) else await self.encryption.encrypt(value.reveal(), SERVICE_KEY)

    async def _plain(self, value: PersonName | PlatformId | bytes) -> str:
        return str(await self.encryption.decrypt(value)) if isinstance(value, bytes) else value.reveal()

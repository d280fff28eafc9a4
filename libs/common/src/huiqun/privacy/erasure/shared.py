"""What every service holds of people in the library's own collections."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.store import DIRECTORY, list_account_memberships
from huiqun.contracts.parties import EVENTS_RECEIVED, EVENTS_SENT
from huiqun.contracts.privacy import ErasureResult, Outcome
from huiqun.contracts.topics import dead_letters_of
from huiqun.privacy.erasure import store
from huiqun.privacy.erasure.holdings import (
    PORTION_SIZE,
    Document,
    ErasedPortion,
    PersonalDataHolding,
    unsearched_holding,
)
from huiqun.privacy.erasure.model import Subject
from huiqun.privacy.suppression import SUPPRESSED
from huiqun.store import Reader
from huiqun.work import Work

#: Collections of the library that hold nothing of a member, and why.
NOTHING_HELD: Final[Mapping[str, str]] = {
    "api_keys": "of staff and programs: a name, and a hash of the key",
    "consumer_breakers": "partitions that are paused",
    "consumer_skip_rules": "what an operator has the consumer skip",
    "encryption_keys": "data keys, which are the service's",
    "migrations": "which of them are done",
    "processes": "heartbeats of processes",
    "task_leases": "who works on which task",
}
_ROSTER: Final = "群成员名册：名称与外部平台编号"
_MEMBERSHIP: Final = "群成员名册：成员编号、身份与入退群时间"
_FILES: Final = "此前查阅请求的数据文件"


def shared_holdings(service: str, directory: Directory) -> tuple[PersonalDataHolding, ...]:
    """List what a service with this name and this directory holds in any case."""
    return (
        PersonalDataHolding(
            _ROSTER,
            (DIRECTORY,),
            partial(_erase_roster, directory=directory),
            partial(_read_roster, directory=directory),
        ),
        PersonalDataHolding(_FILES, (store.ACCESS_FILE_PARTS,), partial(_erase_files, directory=directory)),
        unsearched_holding(
            "本次及此前的请求记录：请求编号、人员编号、处理结果",
            (store.PERSON_REQUESTS,),
            "证明请求已依法处理",
            store.REQUEST_RETENTION,
        ),
        unsearched_holding("删除名单：账号的密钥散列值，不含编号", (SUPPRESSED,), "防止已删除的数据因同步再次出现"),
        unsearched_holding("审计日志：仅含编号", ("audit_log", "audit_head"), "审计日志只可追加，用于证明操作合规"),
        unsearched_holding("处理中的任务：仅含编号", ("tasks",), "任务完成后即删除；失败的任务待运维人员处理"),
        unsearched_holding("接口应答的副本", ("idempotency_keys",), "防止重复提交", timedelta(hours=24)),
        unsearched_holding("已处理事件的编号", ("inbox",), "防止重复处理", timedelta(days=14)),
        unsearched_holding("待发布的事件", ("outbox", "outbox_parked"), "发布后即删除；超长事件待运维人员处理"),
        _copies_on_topics(service),
    )


def _copies_on_topics(service: str) -> PersonalDataHolding:
    """What a service reads and writes stays on the broker for as long as its topic says, whatever is erased here."""
    topics = {event.topic for event in (*EVENTS_RECEIVED[service], *EVENTS_SENT[service])} | {dead_letters_of(service)}
    names = "、".join(sorted(topic.name for topic in topics))
    longest = max(topic.retention for topic in topics)
    return unsearched_holding(f"消息队列中的副本（{names}）", (), "主题保存期满后自动删除", longest)


async def _erase_roster(work: Work, subject: Subject, directory: Directory) -> ErasedPortion:
    number = await directory.erase_memberships(work, subject.accounts, subject.at, PORTION_SIZE)
    results = [ErasureResult(what=_ROSTER, outcome=Outcome.ERASED)] if number else []
    if number == PORTION_SIZE:
        return ErasedPortion(tuple(results), is_done=False)
    if await list_account_memberships(work, subject.accounts):
        ground = "仍在群内，退群后至多保存 400 天"
        results.append(ErasureResult(what=_MEMBERSHIP, outcome=Outcome.KEPT, ground=ground))
    return ErasedPortion(tuple(results))


async def _read_roster(reader: Reader, subject: Subject, directory: Directory) -> AsyncIterator[Document]:
    for member in await list_account_memberships(reader, subject.accounts):
        details = (await directory.reveal_personal_details([member]))[member.key]
        arrived = member.arrived.value if member.arrived is not None else None
        yield {
            "group_id": member.group_id,
            "member_id": member.member_id,
            "display_name": details.display_name,
            "external_ids": details.external_ids,
            "role": member.role,
            "present": member.is_present,
            "joined_at": member.joined_at,
            "left_at": member.last_left_at,
            "scene": arrived.scene if arrived is not None else None,
            "state": arrived.state if arrived is not None else None,
        }


async def _erase_files(work: Work, subject: Subject, directory: Directory) -> ErasedPortion:
    hashes: Sequence[str] = [directory.suppression.hash_account(account) for account in subject.accounts]
    # A part has up to 256 KiB.
    number = await store.delete_access_files(work, hashes, limit=100)
    if not number:
        return ErasedPortion()
    return ErasedPortion((ErasureResult(what=_FILES, outcome=Outcome.ERASED),), is_done=False)

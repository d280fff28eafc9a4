"""What labelled examples hold of people: texts that they wrote. They name the case, and not the member."""

from collections.abc import AsyncIterator
from typing import Final

from huiqun.contracts.privacy import ErasureResult, Outcome
from huiqun.privacy.erasure.holdings import PORTION_SIZE, Document, ErasedPortion, PersonalDataHolding
from huiqun.privacy.erasure.model import Subject
from huiqun.store import Reader
from huiqun.work import Work
from moderation.cases.handlers import read_documents_of_cases
from moderation.examples.store import EXAMPLES

_EXAMPLES_OF_SUBJECT: Final = "据本人消息标注的样本"


async def _erase_examples(work: Work, subject: Subject) -> ErasedPortion:
    ids = [example["_id"] async for example in read_documents_of_cases(work, subject, EXAMPLES, PORTION_SIZE)]
    if not ids:
        return ErasedPortion()
    await work.collection(EXAMPLES).delete_many({"_id": {"$in": ids}})
    result = ErasureResult(what=_EXAMPLES_OF_SUBJECT, outcome=Outcome.ERASED)
    return ErasedPortion((result,), len(ids) < PORTION_SIZE)


async def _read_examples(reader: Reader, subject: Subject) -> AsyncIterator[Document]:
    async for example in read_documents_of_cases(reader, subject, EXAMPLES):
        yield {name: example[name] for name in ("text", "label", "decided_at")}


EXAMPLE_HOLDINGS: Final = (PersonalDataHolding(_EXAMPLES_OF_SUBJECT, (EXAMPLES,), _erase_examples, _read_examples),)

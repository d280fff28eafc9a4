"""A list of words is imported while everything runs."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

from demo.people.morning import Morning
from demo.story.model import WARNING, Says, blocked
from demo.story.morning import WITH_A_FLAW, WORDS

_LIST: Final = "/lexicon/lists/street"


async def import_words(morning: Morning) -> AsyncIterator[str]:
    """A file with a flaw is refused line by line; the mended one hits without a restart."""
    mei = morning.mei
    status = await mei.refused("PUT", _LIST, WITH_A_FLAW)
    if status != HTTPStatus.UNPROCESSABLE_ENTITY:
        yield f"a file with two unfit rows: {status}"
    taken = await mei.put(_LIST, WORDS)
    said = "加入我们拼单裂变，天天有货"
    seconds = await morning.seconds_until("fuli", said, verdict="block")
    morning.log_deed(mei, f"imports a list of {taken['words']} words", f"in force after {seconds:.1f} s")
    judged = await morning.post_message("fuli", Says("", "ning", said, blocked("lexicon", "ads", WARNING)))
    if judged["verdict"] != "block":
        yield f"a message with a new word: {judged['verdict']}"
    morning.log_deed("宁夏", "uses one of them", f"{judged['verdict']} {judged['reasons'][0]['category']} → warning")

"""The rules are changed while everything runs."""

from collections.abc import AsyncIterator
from typing import Final

from huiqun.contracts.channel import ActionKind, MessageKind
from local.people.colleague import RefusedError
from local.people.morning import Morning
from local.story.model import WARNING, Says, blocked
from local.story.morning import RULES, RULES_TEXT, WITH_A_FLAW, WORDS

_POLICY_SECONDS: Final = 2.0
# Words are compiled first, which takes its time on a machine that does other things as well.
_WORDS_SECONDS: Final = 10.0
_UNPROCESSABLE: Final = 422


async def change_policy(morning: Morning) -> AsyncIterator[str]:
    """A version is written, activated, and judges within two seconds; the group hears of its new rules."""
    mei = morning.mei
    version = await mei.post("/policies/benefits/versions", {"rules": RULES, "note": "会员日之后：小程序一律不发"})
    revision = (await mei.read("/policies/benefits"))["revision"]
    await mei.post("/policies/benefits/activation", {"version": version["version"]}, revision)
    label = f"benefits@{version['version']}"
    seconds = await morning.seconds_until("fuli", "大家好", policy=label)
    if seconds > _POLICY_SECONDS:
        yield f"{label} was in force after {seconds:.1f} s"
    posted = await morning.action(ActionKind.SEND_MESSAGE, group_id="fuli", reason="rules")
    if RULES_TEXT not in posted["content"]:
        yield "the group was posted other rules"
    morning.note(mei, f"activates policy {label}", f"in force after {seconds:.1f} s, posted in the group")
    mini_program = Says("", "lu", "砍一刀小程序", blocked("kinds", "kind", WARNING), kind=MessageKind.MINI_PROGRAM)
    judged = await morning.says("fuli", mini_program)
    if judged["policy"] != label:
        yield f"a mini program was judged by {judged['policy']}"
    morning.note("陆陆顺", "sends a mini program", f"{judged['verdict']} by {judged['policy']}")


async def import_words(morning: Morning) -> AsyncIterator[str]:
    """A file with a flaw is refused line by line; the mended one hits without a restart."""
    mei = morning.mei
    try:
        await mei.put("/lexicon/lists/street", WITH_A_FLAW)
        yield "a file with two unfit rows was taken"
    except RefusedError as error:
        if error.status != _UNPROCESSABLE:
            raise
    taken = await mei.put("/lexicon/lists/street", WORDS)
    said = "加入我们拼单裂变，天天有货"
    seconds = await morning.seconds_until("fuli", said, verdict="block")
    if seconds > _WORDS_SECONDS:
        yield f"the words were in force after {seconds:.1f} s"
    morning.note(mei, f"imports a list of {taken['words']} words", f"in force after {seconds:.1f} s")
    judged = await morning.says("fuli", Says("", "ning", said, blocked("lexicon", "ads", WARNING)))
    if judged["verdict"] != "block":
        yield f"a message with a new word: {judged['verdict']}"
    morning.note("宁夏", "uses one of them", f"{judged['verdict']} {judged['reasons'][0]['category']} → warning")

"""Who comes to work, and what they do in which order."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final

from huiqun.web import create_api_key
from huiqun.web.principals import Role
from local.check import Check
from local.people import audit, cases, incidents, members, policies, words
from local.people.colleague import Colleague, RefusedError
from local.people.morning import Morning, NotYetError
from local.system import System

Scene = Callable[[Morning], AsyncIterator[str]]
SCENES: Final[Mapping[str, Scene]] = {
    "a policy needs four eyes; in force, it judges within two seconds and is posted": policies.change_policy,
    "each value of a group's rules says where it comes from": policies.explain_policy,
    "a rule on trial records what it finds, and nothing follows": policies.try_rule,
    "an exception has a reason and an end, and holds within two seconds": policies.grant_exception,
    "a list of words with a flaw is refused, and hits without a restart once mended": words.import_words,
    "a rumour is held by one person at a time; upheld, it is deleted and its sender warned": cases.uphold_rumour,
    "a member's report becomes a case, and a sanction only when a person decides": cases.reclassify_report,
    "an appeal by a signed link takes back strike, sanction and mute together": cases.reverse_on_appeal,
    "an appeal by a reply is answered in private": cases.uphold_on_appeal,
    "nobody is removed before a person has approved it": cases.approve_removal,
    "staff who promise are told, and never sanctioned": cases.uphold_promise,
    "a report in which there is nothing has no consequences": cases.dismiss_report,
    "decisions can be exported as labelled examples": cases.export_examples,
    "a newcomer is welcomed, agrees by a reply, and is heard from then on": members.welcome_newcomer,
    "who asks how to leave is told": members.explain_leaving,
    "the roster check finds unknown and departed staff, and names that only look like staff": members.check_roster,
    "a policy is rolled back within two seconds, with a reason": policies.roll_back,
    "a drill is played, scored, and felt by no group": incidents.drill,
    "an emergency can be delegated, locks a group down and lets it go again": incidents.emergency,
    "the audit log names who did what, and is unbroken": audit.read_log,
}


# Who moderates, who may do everything, who stands in at night.
PEOPLE: Final[Sequence[tuple[str, Role]]] = (
    ("韩梅-审核", "moderator"),
    ("方正-主管", "admin"),
    ("林静-值班", "operator"),
)


async def work(system: System) -> tuple[Morning, list[Check]]:
    """Three people work through the morning; each scene is a check."""
    moderation = system.database("moderation")
    url = next(service.url for service in system.services if service.name == "moderation")
    people = [Colleague(name, url, await create_api_key(moderation, name, [role])) for name, role in PEOPLE]
    mei, fang, duty = people
    morning = Morning(system, mei, fang, duty)
    try:
        return morning, [Check(claim, await _objections(scene, morning)) for claim, scene in SCENES.items()]
    finally:
        for colleague in people:
            await colleague.close()


async def _objections(scene: Scene, morning: Morning) -> list[str]:
    """What speaks against a scene's claim; a scene that breaks off speaks against it, and the next one goes on."""
    found = []
    try:
        found = [objection async for objection in scene(morning) if objection]
    except (RefusedError, NotYetError) as error:
        found.append(str(error))
    return found

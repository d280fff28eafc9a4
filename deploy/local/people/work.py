"""Who comes to work, and what they do in which order."""

from collections.abc import Sequence
from typing import Final

from huiqun.web import create_api_key
from huiqun.web.principals import Role
from local.check import Check
from local.people import audit, cases, incidents, members, policies, words
from local.people.colleague import Colleague, RefusedError
from local.people.morning import Morning, NotYetError
from local.people.scene import Played, Scene
from local.system import System

SCENES: Final[Sequence[Scene]] = (
    Scene(
        "a policy needs four eyes; in force, it judges within two seconds and is posted",
        policies.change_policy,
        ("B1", "B2", "C9"),
    ),
    Scene("each value of a group's rules says where it comes from", policies.explain_policy, ("C77",)),
    Scene("a rule on trial records what it finds, and nothing follows", policies.try_rule, ("B3",)),
    Scene("an exception has a reason and an end, and holds within two seconds", policies.grant_exception, ("C77",)),
    Scene(
        "a list of words with a flaw is refused, and hits without a restart once mended",
        words.import_words,
        ("B11", "C3"),
    ),
    Scene(
        "a rumour is held by one person at a time; upheld, it is deleted and its sender warned",
        cases.uphold_rumour,
        ("B17", "C4"),
    ),
    Scene(
        "a member's report becomes a case, and a sanction only when a person decides",
        cases.reclassify_report,
        ("C24", "B17"),
    ),
    Scene(
        "an appeal by a signed link takes back strike, sanction and mute together", cases.reverse_on_appeal, ("B13",)
    ),
    Scene("an appeal by a reply is answered in private", cases.uphold_on_appeal, ("C14",)),
    Scene("nobody is removed before a person has approved it", cases.approve_removal, ("B14", "B15", "C12")),
    Scene("staff who promise are told, and never sanctioned", cases.uphold_promise, ("C22",)),
    Scene("a report in which there is nothing has no consequences", cases.dismiss_report, ("C24",)),
    Scene("decisions can be exported as labelled examples", cases.export_examples, ("B19",)),
    Scene(
        "a newcomer is welcomed, agrees by a reply, and is heard from then on",
        members.welcome_newcomer,
        ("C11", "C10", "C19"),
    ),
    Scene("who asks how to leave is told", members.explain_leaving, ("C19",)),
    Scene(
        "the roster check finds unknown and departed staff, and names that only look like staff",
        members.check_roster,
        ("C16",),
    ),
    Scene("a policy is rolled back within two seconds, with a reason", policies.roll_back, ("B2",)),
    Scene("a drill is played, scored, and felt by no group", incidents.drill, ("C26", "B21")),
    Scene(
        "an emergency can be delegated, locks a group down and lets it go again",
        incidents.emergency,
        ("C28", "C27"),
    ),
    Scene("the audit log names who did what, and is unbroken", audit.read_log, ("B25",)),
)


# Who moderates, who may do everything, who stands in at night.
PEOPLE: Final[Sequence[tuple[str, Role]]] = (
    ("韩梅-审核", "moderator"),
    ("方正-主管", "admin"),
    ("林静-值班", "operator"),
)


async def work(system: System) -> tuple[Morning, list[Played]]:
    """Three people work through the morning, scene by scene."""
    moderation = system.database("moderation")
    url = next(service.url for service in system.services if service.name == "moderation")
    people = [Colleague(name, url, await create_api_key(moderation, name, [role])) for name, role in PEOPLE]
    mei, fang, duty = people
    morning = Morning(system, mei, fang, duty)
    try:
        return morning, [await _play(scene, morning) for scene in SCENES]
    finally:
        for colleague in people:
            await colleague.close()


async def _play(scene: Scene, morning: Morning) -> Played:
    """A scene that breaks off speaks against its claim, and the next one goes on."""
    before, objections = len(morning.deeds), list[str]()
    try:
        objections += [objection async for objection in scene.play(morning) if objection]
    except (RefusedError, NotYetError) as error:
        objections.append(str(error))
    return Played(Check(scene.claim, objections, scene.shows), morning.deeds[before:])

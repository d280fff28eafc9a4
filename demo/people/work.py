"""Who comes to work, and what they do in which order."""

from collections.abc import Sequence
from typing import Final

from demo.check import CheckResult
from demo.people import archive, audit, cases, incidents, members, policies, service, time, words
from demo.people.api_user import ApiUser, RequestRefusedError
from demo.people.morning import Morning, OutcomeMissingError, TimeSpan
from demo.people.scene import PlayedScene, Scene
from huiqun.store import OutsideTransaction
from huiqun.web import create_api_key
from huiqun.web.principals import Role
from local.system import System

SCENES: Final[Sequence[Scene]] = (
    Scene(
        "one person writes a version of a policy, compares it, and may not activate it",
        policies.write_policy,
        ("B1", "B2"),
    ),
    Scene("a version is tried over the messages of yesterday before it is in force", policies.try_version, ("B4",)),
    Scene(
        "another person activates it: it judges from then on, and is posted",
        policies.activate_policy,
        ("B1", "C9", "B17"),
    ),
    Scene("each value of a group's rules says where it comes from", policies.explain_policy, ("C77",)),
    Scene("a rule on trial records what it finds, and nothing follows", policies.try_rule, ("B3",)),
    Scene("an exception has a reason, an end and a second person's approval", policies.grant_exception, ("C77",)),
    Scene(
        "a list of words with a flaw is refused, and hits without a restart once mended",
        words.import_words,
        ("B11", "C3"),
    ),
    Scene(
        "a rumour is held by one person at a time; upheld, it is deleted, its sender warned",
        cases.uphold_rumour,
        ("B19", "C4"),
    ),
    Scene(
        "a member's report becomes a case, and a sanction only when a person decides", cases.reclassify_report, ("C24",)
    ),
    Scene(
        "an appeal by a signed link takes back strike, sanction and mute together", cases.reverse_on_appeal, ("B13",)
    ),
    Scene("an appeal by a reply is answered in private", cases.uphold_on_appeal, ("C14",)),
    Scene(
        "nobody is removed before a person has approved it",
        cases.approve_removal,
        ("B14", "B15", "C12"),
    ),
    Scene("staff who promise are told, and never sanctioned", cases.uphold_promise, ("C22",)),
    Scene("a report in which there is nothing has no consequences", cases.dismiss_report, ("C24",)),
    Scene("a conflict is settled in the group, in private, or in a group of their own", cases.mediate, ("C13", "C14")),
    Scene("who reports too often is passed over", cases.limit_reports, ("B20",)),
    Scene("decisions can be exported as labelled examples", cases.export_examples, ("B21",)),
    Scene("offences weigh by their kind, and fade", cases.read_standing, ("B12",)),
    Scene(
        "a newcomer is welcomed, agrees by a reply, and is heard from then on",
        members.welcome_newcomer,
        ("C11", "C10", "C19", "C20"),
    ),
    Scene(
        "another one agrees on the page of a signed link",
        members.agree_by_link,
        ("B22", "C11"),
    ),
    Scene("a name that speaks for itself is not repeated by the bot", members.keep_names_clean, ("C11",)),
    Scene("who asks how to leave is told", members.explain_leaving, ("C19",)),
    Scene(
        "a check finds unknown and departed staff, and names that only look like staff", members.check_roster, ("C16",)
    ),
    Scene("in a quiet group who asks staff is heard, and who chats is told why not", incidents.keep_quiet, ("C21",)),
    Scene(
        "an hour passes: mutes end, rules are posted, a patrol is made",
        time.let_an_hour_pass,
        ("B12", "C10", "C16", "C18"),
    ),
    Scene("a task that nobody does is reminded of, escalated, given up", time.leave_undone, ("B18", "B15", "B16")),
    Scene("a policy is rolled back, with a reason", policies.roll_back, ("B2",)),
    Scene(
        "for each kind of crisis there is a plan, whose steps have owners and due times", incidents.read_plans, ("C25",)
    ),
    Scene(
        "a drill is played, scored, and felt by no group",
        incidents.drill,
        ("C26", "B23"),
    ),
    Scene(
        "an emergency is delegated, locks a group down, and its lessons change the plan",
        incidents.emergency,
        ("C28", "C27"),
    ),
    Scene(
        "records stand in order, say by what they were judged, and cannot be taken away",
        archive.trace_records,
        ("C72",),
    ),
    Scene("under a legal hold nothing expires", archive.hold_records, ("B24",)),
    Scene("who wrote an ID number is found by its hash, and the question is audited", archive.look_up_number, ("B25",)),
    Scene("the same seed draws the same sample for supervisors", archive.draw_samples, ("C89",)),
    Scene("a day is exported as JSON lines and CSV", archive.export_records, ("C73",)),
    Scene("an exception ends by itself", policies.see_exception_end, ("C77",)),
    Scene("the interface describes itself, and does once what is asked twice", service.read_interface, ("B26",)),
    Scene("the audit log names who did what, and a command finds what was changed", audit.read_log, ("B27",)),
)

# Who moderates, who may do everything, who stands in at night, who supervises.
PEOPLE: Final[Sequence[tuple[str, Role]]] = (
    ("韩梅-审核", "moderator"),
    ("方正-主管", "admin"),
    ("林静-值班", "operator"),
    ("苏青-合规", "auditor"),
)


async def play_scenes(system: System, day: TimeSpan) -> tuple[Morning, list[PlayedScene]]:
    """Four people work through the morning after the day, scene by scene."""
    moderation = system.database("moderation")
    url = system.service("moderation").url
    people = [
        ApiUser(name, url, await create_api_key(OutsideTransaction(moderation), name, [role])) for name, role in PEOPLE
    ]
    mei, fang, duty, su = people
    morning = Morning(system, mei, fang, duty, su, day)
    try:
        return morning, [await _play(scene, morning) for scene in SCENES]
    finally:
        for colleague in people:
            await colleague.close()


async def _play(scene: Scene, morning: Morning) -> PlayedScene:
    """A scene that breaks off speaks against its claim, and the next one goes on."""
    before, objections = len(morning.deeds), list[str]()
    try:
        objections += [objection async for objection in scene.play(morning) if objection]
    except (RequestRefusedError, OutcomeMissingError) as error:
        objections.append(str(error))
    return PlayedScene(CheckResult(scene.claim, objections, scene.shows), morning.deeds[before:])

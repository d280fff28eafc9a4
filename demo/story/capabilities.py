"""What moderation can do, by the ids that messages, scenes and checks name when they show it.

C-numbers are those of the people who run groups; B-numbers are what goes beyond them.
"""

from collections.abc import Mapping
from typing import Final

SECTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "Policies": {
        "C77": "one policy, explained; exceptions with an end",
        "B1": "one person writes a version, another activates it",
        "B2": "versions are compared, and rolled back",
        "B3": "a rule on trial records, and nothing follows",
        "B4": "a draft is tried over past messages first",
    },
    "Screening": {
        "C1": "so many messages a day for each member",
        "C2": "so long a text or voice message",
        "C3": "no advertising, no selling, no links elsewhere",
        "C4": "no rumours",
        "C5": "nothing political",
        "C6": "no abuse",
        "C7": "nothing obscene or violent",
        "C8": "no personal data: taken out, kept masked",
        "C15": "only staff announce",
        "C21": "quiet hours, flooding, quiet mode with @mention",
        "C22": "staff: polite, no promises, no private business",
        "B5": "a day is the group's own, over restarts, once each",
        "B6": "disguised words: width, script, gaps, sound, split",
        "B7": "a harmless phrase around a word lets it pass",
        "B8": "what is edited is judged again, and counted once",
        "B9": "newcomers earn trust, but not with 收到",
        "B10": "likeness, by sound or as a whole, is only reviewed",
        "B11": "lists of words: checked by line, in force at once",
    },
    "Standing": {
        "C12": "warn, then mute, then propose removal",
        "B12": "offences weigh by kind and fade; mutes end alone",
        "B13": "one appeal takes back strike, sanction and mute",
        "B14": "nobody is removed before a person approves",
    },
    "Enforcement": {
        "B15": "done natively, given to a person, or unsupported",
        "B16": "each action is followed to its outcome",
        "B17": "members are told in the policy's own words",
        "B18": "a task left undone is reminded of, escalated",
    },
    "Cases": {
        "C13": "conflicts: a private talk, or a group of their own",
        "C14": "simple cases in the group, complex in private",
        "C18": "regular patrol; what waits too long is named",
        "C24": "members and staff report messages",
        "B19": "a queue: held by one person at a time and decided",
        "B20": "who reports too often is passed over",
        "B21": "decisions become labelled examples",
    },
    "Membership": {
        "C9": "the rules stand in one place, with a version",
        "C10": "rules are posted to newcomers and on schedule",
        "C11": "newcomers read the rules and agree",
        "C16": "rosters are checked against authorised staff",
        "C19": "who joins is led in, who leaves is told how",
        "C20": "guide to the group, advice on safety",
        "B22": "agreement by a signed link",
    },
    "Incidents": {
        "C25": "a plan for each kind of crisis",
        "C26": "drills",
        "C27": "a review, whose lessons become part of the plan",
        "C28": "delegated authority, with an end",
        "B23": "a drill runs all of it, felt by nobody, and scored",
    },
    "Archive": {
        "C72": "records in order, traceable, deleted by nobody",
        "C73": "export as JSONL and CSV, with progress",
        "C89": "samples for supervisors: same seed, same sample",
        "B24": "legal hold",
        "B25": "who wrote this card number? asked by keyed hash",
    },
    "Interface and audit": {
        "B26": "every route described, every write done once",
        "B27": "an audit log whose changes a command finds",
    },
}
CAPABILITIES: Final[Mapping[str, str]] = {name: what for section in SECTIONS.values() for name, what in section.items()}

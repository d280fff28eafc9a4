"""The opening of an incident: what it is opened with, and how it begins. No I/O."""

from dataclasses import dataclass, field
from datetime import datetime

from huiqun.contracts.moderation import OpenedIncident
from huiqun.runtime.ids import new_id
from huiqun.versions.model import Version
from moderation.groups.model import GroupSettings
from moderation.incident_steps.model import assign_plan_steps
from moderation.incidents.model import DrillCue, Incident
from moderation.plans.model import IncidentPlan, plan_of_version


@dataclass(frozen=True, slots=True)
class OpenIncidentCommand:
    """An incident to be opened. `owners` are staff members by role; `cues` and `as_of` are for drills."""

    kind: str
    groups: tuple[str, ...]
    reason: str = ""
    owners: dict[str, str] = field(default_factory=dict)
    drill: bool = False
    cues: tuple[DrillCue, ...] = ()
    as_of: datetime | None = None

    def steps_missing_in(self, plan: IncidentPlan) -> set[str]:
        """The steps that the script names and the plan does not have."""
        return {cue.step for cue in self.cues if cue.step and plan.find_step(cue.step) is None}


def new_incident(
    command: OpenIncidentCommand, version: Version, first_group: GroupSettings, opened_by: str, now: datetime
) -> Incident:
    """The incident as it begins, by a version of its plan; its groups are not in its mode yet."""
    plan, opened_at = plan_of_version(version), command.as_of or now
    return Incident(
        id=new_id(),
        kind=command.kind,
        plan=plan,
        plan_version=version.number,
        groups=command.groups,
        reason=command.reason,
        drill=command.drill,
        opened_by=opened_by,
        opened_at=opened_at,
        steps=assign_plan_steps(plan, opened_at, command.owners, first_group.owner),
        escalate_to=_first_known(plan.escalation_id, command.owners.get(plan.escalation_role), first_group.owner),
        cues=command.cues,
    )


def opened_incident(incident: Incident, group_id: str, channel: str) -> OpenedIncident:
    """What the other services are told of the opening in one of its groups."""
    return OpenedIncident(
        incident_id=incident.id,
        channel=channel,
        group_id=group_id,
        kind=incident.kind,
        title=incident.plan.title,
        drill=incident.drill,
        mode=incident.mode,
        plan_version=incident.plan_version,
        opened_by=incident.opened_by,
        opened_at=incident.opened_at,
    )


def _first_known(*people: str | None) -> str | None:
    return next((person for person in people if person is not None), None)

"""What becomes due in an incident: reminders, escalations, the end of a mode, the next part of a drill's script."""

from huiqun.work import Task, Work
from moderation.groups.handlers import get_group
from moderation.incidents.handlers.incidents import Done, do_contain, do_step
from moderation.incidents.handlers.scene import Scene, scene_of_task
from moderation.incidents.model import wording
from moderation.incidents.model.incident import Cue, State
from moderation.incidents.model.timeline import What
from moderation.metrics import INCIDENT_STEPS

_SCRIPT = "script"


async def remind(work: Work, task: Task) -> None:
    """A step is due soon: remind its owner. After downtime it may be overdue: then the escalation says enough."""
    scene = await scene_of_task(work, task)
    if scene is None:
        return
    progress = scene.incident.step(task.payload["step"])
    if scene.at >= progress.due_at:
        return
    zone = (await get_group(work, scene.incident.groups[0])).settings.timezone
    reminder = wording.reminder(scene.incident, progress, zone, scene.at)
    await scene.note(What.REMINDED, progress.step.title, step=progress.step.key, actions=[reminder])
    await scene.save_timeline()


async def escalate(work: Work, task: Task) -> None:
    """A step is overdue: tell whoever answers for it."""
    scene = await scene_of_task(work, task)
    if scene is None:
        return
    progress = scene.incident.step(task.payload["step"])
    told = wording.escalation(scene.incident, progress, scene.at)
    await scene.note(What.ESCALATED, progress.step.title, step=progress.step.key, actions=[told])
    INCIDENT_STEPS.labels(outcome="overdue", drill="yes" if scene.incident.drill else "no").inc()
    await scene.save_timeline()


async def end_mode(work: Work, task: Task) -> None:
    """The time of an incident's mode is over."""
    scene = await scene_of_task(work, task)
    if scene is not None:
        await scene.leave_mode(What.MODE_ENDED)
        await scene.save()


async def play_cue(work: Work, task: Task) -> None:
    """The next part of a drill's script: something happens, a step is done, or the crisis is contained."""
    scene = await scene_of_task(work, task)
    if scene is not None:
        scene.actor = _SCRIPT
        await _play(scene, scene.incident.cues[task.payload["number"]])
        await scene.save()


async def _play(scene: Scene, cue: Cue) -> None:
    if cue.step is None and cue.text:
        await scene.note(What.SHADOW_EVENT, cue.text)
    if cue.step is not None and scene.incident.step(cue.step).done_at is None:
        await do_step(scene, Done(cue.step, cue.text))
    if cue.contains and scene.incident.state is State.OPEN:
        await do_contain(scene)

"""Projects and people with figures, two each, so that every list has a second page."""

from chassis.tenants.members import subscription as members
from contracts.common import Priority, TaskStatus
from contracts.tasks import v1 as tasks
from services.analytics.figures.consumers import figures
from services.analytics.figures.model import Change
from verification.isolation.world import Pair, World, text


async def seed() -> World:
    world = World("analytics")
    await world.tell_members(members)
    for org, of in ((world.victim_org, "theirs"), (world.attacker_org, "own")):
        for number in (1, 2):
            title = text(f"project {number}") if of == "theirs" else f"Own {number}"
            project, user = f"proj_{of}{number}", f"user_{of}{number}"
            for event in (
                tasks.ProjectCreated(project_id=project, key=f"{of.upper()}{number}", name=title, lead_id=user),
                tasks.TaskAssigned(
                    task_id=f"task_{of}{number}",
                    project_id=project,
                    title=title,
                    status=TaskStatus.OPEN,
                    priority=Priority.LOW,
                    assignee_id=user,
                    assigned_by=user,
                ),
            ):
                await world.sut.deliver(figures, event, org_id=org)
    world.pairs = {
        "project_id": Pair("proj_theirs1", "proj_own1"),
        "user_id": Pair("user_theirs1", "user_own1"),
        "task_id": Pair("task_theirs1", "task_own1"),
    }
    world.arguments = {Change: [Change(open=1)], "names": [None, {"name": "Wicked"}]}
    return world

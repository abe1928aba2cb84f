"""Notifications of one person of each organization, two each."""

from chassis.tenants.members import subscription as members
from contracts.common import Priority, Role, TaskStatus
from contracts.tasks import v1 as tasks
from services.notify.adapters.templating import TemplateComposer
from services.notify.notifications.consumers import assignments
from services.notify.ports import Composer, Mailer
from tests.services.notify.support import PUBLIC_URL, FakeMailer
from verification.isolation.people import MARK
from verification.isolation.world import Pair, World, text


async def seed() -> World:
    mailer = FakeMailer()
    world = World("notify", {Mailer: mailer, Composer: TemplateComposer(PUBLIC_URL)})
    world.stateful = [mailer]
    await world.tell_members(members)
    for at in (1, 2):
        await _notify(world, world.victim_org, world.vera.id, text(f"task {at}"), f"theirs{at}")
        await _notify(world, world.attacker_org, world.mallory.id, f"Own task {at}", f"own{at}")
    world.pairs = {
        "notification_id": Pair(await _newest(world, world.owner), await _newest(world, world.attacker)),
        "task_id": Pair("task_theirs1", "task_own1"),
        "user_id": Pair(world.vera.id, world.mallory.id),
        "assigned_by": Pair(world.by_role[Role.MEMBER].id, MARK.id),
        "author_id": Pair(world.by_role[Role.MEMBER].id, MARK.id),
    }
    return world


async def _notify(world: World, org: str, user_id: str, title: str, of: str) -> None:
    world.sut.clock.advance(seconds=1)
    event = tasks.TaskAssigned(
        task_id=f"task_{of}",
        project_id=f"proj_{of}",
        title=title,
        status=TaskStatus.OPEN,
        priority=Priority.LOW,
        assignee_id=user_id,
        assigned_by="user_somebody",
    )
    await world.sut.deliver(assignments, event, org_id=org)


async def _newest(world: World, token: str) -> str:
    answer = await world.call(token, "GET", "/v1/notifications?limit=1")
    return str(answer["items"][0]["id"])

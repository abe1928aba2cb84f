"""Records of both organizations, sealed."""

from chassis.tenants.members import subscription as members
from contracts.tasks import v1 as tasks
from services.audit.chain.usecases.sealing import seal_all
from services.audit.records.consumers import trail
from services.audit.records.repository import Search
from verification.isolation.people import MALLORY, VERA
from verification.isolation.world import Pair, World, text


async def seed() -> World:
    world = World("audit")
    await world.tell_members(members)
    for org, of, actor in ((world.victim_org, "theirs", VERA.id), (world.attacker_org, "own", MALLORY.id)):
        for number in (1, 2):
            name = text("project") if of == "theirs" else "Own"
            event = tasks.ProjectCreated(project_id=f"proj_{of}", key=f"K{number}", name=name, lead_id=actor)
            world.sut.clock.advance(seconds=1)
            await world.sut.deliver(trail, event, org_id=org, actor=actor, version=number)
    await seal_all(world.sut.context)
    world.pairs = {
        "resource_id": Pair("proj_theirs", "proj_own"),
        "project_id": Pair("proj_theirs", "proj_own"),
        "actor": Pair(VERA.id, MALLORY.id),
        "user_id": Pair(VERA.id, MALLORY.id),
    }
    world.values = {"name": "some-credential"}
    world.arguments = {Search: [Search(), Search(actor=VERA.id), Search(resource_id="proj_theirs"), Search(action="x")]}
    return world

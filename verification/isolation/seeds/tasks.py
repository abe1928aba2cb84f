"""Projects, tasks with assignees, comments and an import, made over HTTP by both owners."""

from chassis.tenants.members import subscription as members
from contracts.common import Role
from contracts.tasks import v1 as tasks
from services.tasks.imports.consumers import imports
from services.tasks.imports.model import Chunk, ChunkPlan, RowError
from verification.isolation.world import Pair, World, text

CSV = {"Content-Type": "text/csv"}


async def seed() -> World:
    world = World("tasks")
    await world.tell_members(members)
    theirs = await _work(world, world.owner, world.victim_org, world.by_role[Role.MEMBER].id, text(""), "PLANTED")
    own = await _work(world, world.attacker, world.attacker_org, "user_mark", "Own", "OWN")
    world.pairs = {name: Pair(theirs[name], own[name]) for name in theirs}
    world.pairs["assignee_id"] = world.pairs["user_id"]
    world.values = {
        "key": "FRESH",
        "name": "Fresh",
        "text/csv": "project,title\nFRESH,One\n",
        "title": "Fresh",
        "text": "@mark and @vera, look",
        "status": "done",
        "labels": [],
    }
    world.arguments = {
        ChunkPlan: [ChunkPlan(tasks=[], errors=[RowError(row=1, field="row", message="wicked")])],
        Chunk: [Chunk(index=0, content="[]")],
        "chunks": [[Chunk(index=0, content="[]")]],
        "keys": [["PLANTED1", "OWN1"]],
        "project_ids": [[theirs["project_id"]]],
    }
    return world


async def _work(world: World, token: str, org: str, colleague: str, words: str, key: str) -> dict[str, str]:
    """Two of everything that is listed. Returns the first's ids."""
    made: list[dict[str, str]] = []
    for number in (1, 2):
        world.sut.clock.advance(seconds=1)
        project = await world.call(
            token, "POST", "/v1/projects", {"key": f"{key}{number}", "name": f"{words} {number}"}
        )
        project_id = made[0]["project_id"] if made else project["id"]
        task = {"project_id": project_id, "title": f"{words} task", "description": words, "assignee_ids": [colleague]}
        task_id = (await world.call(token, "POST", "/v1/tasks", task))["id"]
        for said in (f"{words} once", f"{words} twice"):
            world.sut.clock.advance(seconds=1)
            await world.call(token, "POST", f"/v1/tasks/{task_id}/comments", {"text": said})
        made.append({"project_id": project_id, "task_id": task_id, "user_id": colleague})
    return {**made[0], "import_id": await _imported(world, token, org, f"{key}1", words)}


async def _imported(world: World, token: str, org: str, key: str, words: str) -> str:
    """With a bad row, so that there is a report."""
    sheet = f"project,title,assignee\n{key},{words} row,\n{key},{words} bad row,{words}@nowhere.example\n"
    asked = await world.call(token, "POST", "/v1/imports", sheet, CSV)
    event = tasks.ImportRequested(import_id=asked["id"], rows=2, requested_by="user_somebody")
    await world.sut.deliver(imports, event, org_id=org)
    return str(asked["id"])

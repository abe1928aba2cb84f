"""Working off an import's rows, so that a process may die anywhere and another one ends with the same result.

Chunk by chunk: first it is decided, once and durably, what becomes of each row and which numbers the tasks get; then
each task is made in a transaction of its own, which can be repeated because its id follows from the row; then the chunk
is counted and dropped. At the end one claimed transaction marks the import completed and says so.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from chassis.errors import AlreadyExists, Rejected, Stale
from chassis.tenants.members import Members
from chassis.work.scope import OrgScope
from chassis.work.unit_of_work import UnitOfWork
from services.tasks.concurrency import each, while_stale
from services.tasks.model import Import, Plan, PlannedTask, RowError
from services.tasks.people import People
from services.tasks.repository import ImportRepository, NumbersRepository, ProjectRepository
from services.tasks.rows import Chunk, Row, check, is_project_key
from services.tasks.usecases.tasks import store_new

ROWS_AT_ONCE = 8


async def work_off(scope: OrgScope, import_id: str) -> None:
    """Raises AlreadyHandled when another delivery completed it first."""
    imports = ImportRepository(scope)
    planner = _Planner(scope)
    current = await imports.get(import_id)
    while current.done < current.chunks:
        plan = await while_stale(partial(planner.plan, import_id, current.done))
        if plan is None:
            current = await _overtaken(scope, current)
            continue
        await each(plan.tasks, partial(_make_task, scope, current), at_once=ROWS_AT_ONCE)
        current = await _count(scope, current, plan)
    if current.status == "running":
        await _complete(scope, current)


async def _make_task(scope: OrgScope, imported: Import, row: PlannedTask) -> None:
    unit = scope.unit_of_work(claimed=False)
    store_new(scope, unit, imported.task_of(row, scope.now()))
    try:
        await unit.commit()
    except AlreadyExists:
        return  # an earlier delivery got as far as this


async def _count(scope: OrgScope, imported: Import, plan: Plan) -> Import:
    imports = ImportRepository(scope)
    unit = scope.unit_of_work(claimed=False)
    saved = imports.advance(unit, imported, plan)
    try:
        await unit.commit()
    except (Stale, AlreadyExists):
        return await _overtaken(scope, imported)
    return saved


async def _overtaken(scope: OrgScope, imported: Import) -> Import:
    """Another delivery of the same request works on it too: go on where it is."""
    current = await ImportRepository(scope).get(imported.id)
    if current.version == imported.version:
        raise Rejected(f"Chunk {imported.done} of {imported.id} is gone, though it was not worked off.")
    return current


async def _complete(scope: OrgScope, imported: Import) -> None:
    unit = scope.unit_of_work()
    saved = ImportRepository(scope).save(unit, imported.completed(scope.now()))
    unit.publish(saved.completed_event(), version=saved.version)
    await unit.commit()


class _Planner:
    """Decides what becomes of rows. Members and projects are read when they are first needed, once a delivery."""

    def __init__(self, scope: OrgScope) -> None:
        self._scope = scope
        self._imports = ImportRepository(scope)
        self._find_person: Callable[[str], str | None] | None = None
        self._projects: dict[str, str] = {}

    async def plan(self, import_id: str, index: int) -> Plan | None:
        """What was decided about a chunk, now or before; None if it is worked off. Raises Stale when numbers were
        taken, or the chunk was decided about, meanwhile."""
        chunk = await self._imports.chunk(import_id, index)
        if chunk is None:
            return None
        return chunk.plan() if chunk.is_planned else await self._decide(import_id, chunk)

    async def _decide(self, import_id: str, chunk: Chunk) -> Plan:
        rows = chunk.rows()
        await self._look_up(rows)
        find_person = self._find_person = self._find_person or await self._people()
        tasks: list[PlannedTask] = []
        errors: list[RowError] = []
        for row in rows:
            match check(row, self._projects, find_person):
                case PlannedTask() as task:
                    tasks.append(task)
                case list() as wrong:
                    errors += wrong
        unit = self._scope.unit_of_work(claimed=False)
        plan = Plan(tasks=await self._numbered(unit, tasks), errors=errors)
        self._imports.decide(unit, import_id, chunk, plan)
        await unit.commit()
        return plan

    async def _look_up(self, rows: Sequence[Row]) -> None:
        projects = ProjectRepository(self._scope)
        keys = {key for row in rows if is_project_key(key := row.cells.get("project", ""))}
        for key in sorted(keys - self._projects.keys()):
            if project_id := await projects.id_of(key):
                self._projects[key] = project_id

    async def _people(self) -> Callable[[str], str | None]:
        return People([member async for member in Members(self._scope).all_active()]).by_address

    async def _numbered(self, unit: UnitOfWork, tasks: Sequence[PlannedTask]) -> list[PlannedTask]:
        """With the next numbers of their projects, in the order of the rows."""
        counts = Counter(task.project_id for task in tasks)
        numbers = NumbersRepository(self._scope)
        following = {
            project_id: itertools.count(await numbers.take(unit, project_id, count))
            for project_id, count in counts.items()
        }
        return [task.model_copy(update={"number": next(following[task.project_id])}) for task in tasks]

"""Requesting, reading and processing imports.

A process may die anywhere while it processes an import, and another one ends with the same result. For each chunk, it
is decided first, once and durably, what becomes of each row and which numbers the tasks get. Then each task is created
in a transaction of its own, which can be repeated because its id follows from the row. Then the chunk is counted and
deleted. At the end one claimed transaction marks the import as completed and publishes that.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from chassis.errors import AlreadyExists, Rejected, Stale
from chassis.resilience.retry import gather_bounded, retry_on_stale
from chassis.work.scope import OrgScope
from services.tasks.imports.csv_import import ImportFile, plan_row
from services.tasks.imports.model import Chunk, ChunkPlan, Import, ImportProgress, PlannedTask, RowError
from services.tasks.imports.repository import ImportRepository
from services.tasks.people import usecases as people
from services.tasks.projects.model import is_project_key
from services.tasks.projects.repository import NumbersRepository, ProjectRepository
from services.tasks.tasks.usecases import store_new

QUICK = 64 * 1024
"""Bytes that are parsed in about a millisecond; more goes to a thread, so that other requests go on."""
ROWS_AT_ONCE = 8


async def request_import(scope: OrgScope, body: bytes) -> ImportProgress:
    """Store the rows and announce them, in one transaction. Raises Invalid for a file that can't be read."""
    quick = len(body) <= QUICK
    file = ImportFile.parse(body) if quick else await asyncio.to_thread(ImportFile.parse, body)
    imported = Import(
        id=scope.new_id("imp"),
        requested_by=scope.actor.person_id,
        rows=file.rows,
        chunks=len(file.chunks),
        created_at=scope.now(),
    )
    unit = scope.unit_of_work()
    saved = ImportRepository(scope).add(unit, imported, file.chunks)
    unit.publish(saved.requested_event(), version=saved.version)
    return await unit.answer(ImportProgress(saved))


async def read_import(scope: OrgScope, import_id: str) -> ImportProgress:
    """The import and its errors so far, which belong together."""
    imports = ImportRepository(scope)
    imported = await imports.get(import_id)
    return ImportProgress(imported, tuple(await imports.errors(imported)))


async def process_import(scope: OrgScope, import_id: str) -> None:
    """Turn the rows of an import into tasks, from wherever an earlier delivery stopped. Raises AlreadyHandled when
    another delivery completed it first."""
    imports = ImportRepository(scope)
    planner = _Planner(scope)
    current = await imports.get(import_id)
    while current.done < current.chunks:
        plan = await retry_on_stale(partial(planner.plan, import_id, current.done))
        if plan is None:
            current = await _catch_up(scope, current)
            continue
        create = partial(_create_task, scope, current)
        await gather_bounded(plan.tasks, create, at_once=ROWS_AT_ONCE, stop_on_error=True)
        current = await _count(scope, current, plan)
    if current.status == "running":
        unit = scope.unit_of_work()
        saved = imports.save(unit, current.complete(scope.now()))
        unit.publish(saved.completed_event(), version=saved.version)
        await unit.commit()


async def _create_task(scope: OrgScope, imported: Import, row: PlannedTask) -> None:
    unit = scope.unit_of_work(claimed=False)
    store_new(scope, unit, imported.task_of(row, scope.now()))
    try:
        await unit.commit()
    except AlreadyExists:
        return  # an earlier delivery got as far as this


async def _count(scope: OrgScope, imported: Import, plan: ChunkPlan) -> Import:
    unit = scope.unit_of_work(claimed=False)
    saved = ImportRepository(scope).advance(unit, imported, plan)
    try:
        await unit.commit()
    except (Stale, AlreadyExists):
        return await _catch_up(scope, imported)
    return saved


async def _catch_up(scope: OrgScope, imported: Import) -> Import:
    """The import as another delivery of the same request has left it, to go on from there. Raises Rejected if there is
    no other delivery."""
    current = await ImportRepository(scope).get(imported.id)
    if current.version == imported.version:
        raise Rejected(f"Chunk {imported.done} of {imported.id} is missing, although it was not processed.")
    return current


class _Planner:
    """Decides what becomes of rows. Members and projects are read when they are first needed, once per delivery."""

    def __init__(self, scope: OrgScope) -> None:
        self._scope = scope
        self._imports = ImportRepository(scope)
        self._find_person: Callable[[str], str | None] | None = None
        self._projects: dict[str, str] = {}

    async def plan(self, import_id: str, index: int) -> ChunkPlan | None:
        """The plan for a chunk, made now or before; None if the chunk is processed. Raises Stale when another delivery
        took numbers or planned the chunk in the meantime."""
        chunk = await self._imports.chunk(import_id, index)
        if chunk is None:
            return None
        return chunk.plan() if chunk.is_planned else await self._decide(import_id, chunk)

    async def _decide(self, import_id: str, chunk: Chunk) -> ChunkPlan:
        rows = chunk.rows()
        keys = {key for row in rows if is_project_key(key := row.cells.get("project", ""))}
        self._projects |= await ProjectRepository(self._scope).ids_of(keys - self._projects.keys())
        find_person = self._find_person = self._find_person or (await people.load_people(self._scope)).by_address
        planned: list[PlannedTask] = []
        errors: list[RowError] = []
        for row in rows:
            match plan_row(row, self._projects, find_person):
                case PlannedTask() as task:
                    planned.append(task)
                case list() as row_errors:
                    errors += row_errors
        unit = self._scope.unit_of_work(claimed=False)
        numbers = await NumbersRepository(self._scope).take_each(unit, [task.project_id for task in planned])
        tasks = [task.with_number(number) for task, number in zip(planned, numbers, strict=True)]
        plan = ChunkPlan(tasks=tasks, errors=errors)
        self._imports.decide(unit, import_id, chunk, plan)
        await unit.commit()
        return plan

"""The access patterns of imports, their chunks and their reports."""

from collections.abc import Sequence

from chassis.storage.keys import Key
from chassis.storage.table import Absent, AtVersion, Range
from chassis.work.repository import Repository
from chassis.work.unit_of_work import UnitOfWork
from services.tasks.imports.model import MAX_CHUNKS, Chunk, ChunkPlan, Import, RowError

REPORT = "REPORT#"


class ImportRepository(Repository[Import]):
    """Imports. Each shares its partition with its chunks, which are deleted once they are processed, and its report."""

    kind = "IMPORT"
    model = Import

    def add(self, unit: UnitOfWork, imported: Import, chunks: Sequence[Chunk]) -> Import:
        for chunk in chunks:
            unit.put(self._chunk(imported.id, chunk.index), chunk, expect=Absent())
        return self.create(unit, imported)

    async def chunk(self, import_id: str, index: int) -> Chunk | None:
        item = await self.scope.table.get(self._chunk(import_id, index))
        return None if item is None else Chunk.model_validate(item)

    def decide(self, unit: UnitOfWork, import_id: str, chunk: Chunk, plan: ChunkPlan) -> None:
        """Replace the chunk's rows by the plan. The commit raises Stale if another delivery decided first."""
        unit.put(self._chunk(import_id, chunk.index), chunk.with_plan(plan), expect=AtVersion(chunk.version))

    def advance(self, unit: UnitOfWork, imported: Import, plan: ChunkPlan) -> Import:
        """Count a processed chunk, keep its errors, and delete it."""
        unit.delete(self._chunk(imported.id, imported.done))
        if plan.errors:
            report = {"errors": [error.model_dump() for error in plan.errors]}
            unit.put(self.scope.key(self.kind, imported.id, f"{REPORT}{imported.done:04d}"), report, expect=Absent())
        return self.save(unit, imported.count(plan))

    async def errors(self, imported: Import) -> list[RowError]:
        """The report of the chunks that `imported` counts as done."""
        partition = self.key(imported.id).pk
        reports = await self.scope.table.query(
            partition, Range(after=REPORT, before=f"{REPORT}{imported.done:04d}", limit=MAX_CHUNKS)
        )
        return [RowError.model_validate(error) for report in reports for error in report["errors"]]

    def _chunk(self, import_id: str, index: int) -> Key:
        return self.scope.key(self.kind, import_id, f"CHUNK#{index:04d}")

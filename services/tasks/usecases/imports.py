"""Taking a file of rows in, and telling how far they are. The rows themselves are worked off by `importing`."""

import asyncio

from chassis.work.scope import OrgScope
from services.tasks.model import Import, RowError
from services.tasks.repository import ImportRepository
from services.tasks.rows import Sheet, read_sheet

QUICK = 64 * 1024
"""Bytes that are parsed in about a millisecond; more goes to a thread, so that other requests go on."""


async def request_import(scope: OrgScope, body: bytes) -> Import:
    """Store the rows and announce them, in one transaction. Raises Invalid for a file that can't be read."""
    sheet = await _read(body)
    imported = Import(
        id=scope.new_id("imp"),
        requested_by=scope.actor.person_id,
        rows=sheet.rows,
        chunks=len(sheet.chunks),
        created_at=scope.now(),
    )
    unit, imports = scope.unit_of_work(), ImportRepository(scope)
    saved = imports.add(unit, imported, sheet.chunks)
    unit.publish(saved.requested_event(), version=saved.version)
    return await unit.answer(saved)


async def read_import(scope: OrgScope, import_id: str) -> tuple[Import, list[RowError]]:
    """The import and its report so far, which go together."""
    imports = ImportRepository(scope)
    imported = await imports.get(import_id)
    return imported, await imports.errors(imported)


async def _read(body: bytes) -> Sheet:
    return read_sheet(body) if len(body) <= QUICK else await asyncio.to_thread(read_sheet, body)

"""Sealing: gives new records their places in their organization's chain.

Several sealers may run at once. A chain's head moves only from where the sealer read it, so one of them wins; the other
leaves that organization to the next run.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence

import structlog
from pydantic import ValidationError

from chassis.errors import Retryable, Stale
from chassis.storage.table import Item
from chassis.work.context import Actor, Cause, ServiceContext
from chassis.work.scope import OrgScope
from services.audit import chain
from services.audit.model import Record
from services.audit.repository import UNSEALED, Blocks, Heads, Records

log = structlog.get_logger(__name__)

MAX_RECORDS = 40
"""In a block: with block and head in one transaction, of which DynamoDB allows a hundred operations..."""
MAX_CHARACTERS = 1_000_000
"""... and 4 MB; a character has up to four bytes."""
ORGS_AT_ONCE = 8


async def seal_all(context: ServiceContext) -> None:
    """Seal what is unsealed now. Raises an ExceptionGroup of what is not expected, after all the rest is done."""
    limit = asyncio.Semaphore(ORGS_AT_ONCE)
    left_alone: set[str] = set()
    failures: list[Exception] = []

    async def seal_one(org_id: str, records: Sequence[Record]) -> None:
        async with limit:
            try:
                # unscoped(made-scope): a schedule has no caller; the organization is the one that the records name
                await seal(OrgScope(context, Actor(), Cause(context.ids.new()), org_id), records)
            except Retryable as error:
                left_alone.add(org_id)
                log.info("not_sealed_yet", org=org_id, reason=error.detail)
            except Exception as error:  # noqa: BLE001  (one organization's trouble must not stop the others)
                left_alone.add(org_id)
                failures.append(error)

    async for part in UNSEALED.parts(context.table):
        waiting = _by_org(part)
        await asyncio.gather(*(seal_one(org, waiting[org]) for org in waiting if org not in left_alone))
    if failures:
        raise ExceptionGroup("some organizations could not be sealed", failures)


async def seal(scope: OrgScope, records: Sequence[Record]) -> None:
    """Link `records`, in the order of their ids. Raises Stale if another sealer is at work on this organization."""
    heads, blocks, stored = Heads(scope), Blocks(scope), Records(scope)
    head = await heads.current()
    for batch in batches(sorted(records, key=lambda record: record.id)):
        grown, block, linked = chain.seal(head, batch)
        unit = scope.unit_of_work(claimed=False)
        head = heads.move(unit, grown)
        blocks.create(unit, block, on_conflict=Stale("Another sealer was first."))
        for record in linked:
            stored.save(unit, record)
        await unit.commit()


def batches(records: Sequence[Record]) -> Iterator[list[Record]]:
    """What fits into one transaction each."""
    batch: list[Record] = []
    characters = 0
    for record in records:
        size = len(record.model_dump_json())
        if batch and (len(batch) == MAX_RECORDS or characters + size > MAX_CHARACTERS):
            yield batch
            batch, characters = [], 0
        batch.append(record)
        characters += size
    if batch:
        yield batch


def _by_org(items: Sequence[Item]) -> dict[str, list[Record]]:
    orgs: dict[str, list[Record]] = defaultdict(list)
    for item in items:
        try:
            record = Record.model_validate(item)
        except ValidationError as error:
            log.error("record_unreadable", pk=item["PK"], reason=str(error))
            continue
        orgs[record.org_id].append(record)
    return orgs

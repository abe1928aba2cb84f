"""Sealing: gives new records their positions in their organization's chain.

Several sealers may run at once. A chain's head moves only from where the sealer read it, so one of them wins; the other
leaves that organization to the next run.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import structlog
from pydantic import ValidationError

from chassis.errors import Retryable, Stale
from chassis.resilience.retry import gather_bounded
from chassis.storage.table import Item
from chassis.work.context import Actor, Cause, ServiceContext
from chassis.work.scope import OrgScope
from services.audit.chain import model
from services.audit.chain.repository import BlockRepository, HeadRepository
from services.audit.records.model import Record
from services.audit.records.repository import UNSEALED, RecordRepository

log = structlog.get_logger(__name__)

MAX_RECORDS = 40
"""Records per block: with block and head in one transaction, of which DynamoDB allows a hundred operations..."""
MAX_CHARACTERS = 1_000_000
"""... and 4 MB; a character has up to four bytes."""
ORGS_AT_ONCE = 8


async def seal_all(context: ServiceContext) -> None:
    """Seal what is unsealed now. Raises an ExceptionGroup of the unexpected errors once all the rest is done."""
    postponed: set[str] = set()
    failures: list[Exception] = []

    async def seal_org(waiting: tuple[str, Sequence[Record]]) -> None:
        org_id, records = waiting
        try:
            # unscoped(made-scope): a schedule has no caller; the organization is the one that the records name
            await seal(OrgScope(context, Actor(), Cause(context.ids.new()), org_id), records)
        except Retryable as error:
            postponed.add(org_id)
            log.info("not_sealed_yet", org=org_id, reason=error.detail)
        except Exception as error:  # noqa: BLE001  (one organization's trouble must not stop the others)
            postponed.add(org_id)
            failures.append(error)

    async for part in UNSEALED.parts(context.table):
        orgs = [(org_id, records) for org_id, records in _group_by_org(part).items() if org_id not in postponed]
        await gather_bounded(orgs, seal_org, at_once=ORGS_AT_ONCE)
    if failures:
        raise ExceptionGroup("some organizations could not be sealed", failures)


async def seal(scope: OrgScope, records: Sequence[Record]) -> None:
    """Link `records`, in the order of their ids. Raises Stale if another sealer is at work on this organization."""
    heads, blocks, stored = HeadRepository(scope), BlockRepository(scope), RecordRepository(scope)
    head = await heads.current()
    for batch in split_into_batches(sorted(records, key=lambda record: record.id)):
        advanced, block, linked = model.seal(head, batch)
        unit = scope.unit_of_work(claimed=False)
        head = heads.advance(unit, advanced)
        blocks.create(unit, block, on_conflict=Stale("Another sealer was first."))
        for record in linked:
            stored.save(unit, record)
        await unit.commit()


def split_into_batches(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Batches that each fit into one transaction."""
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


def _group_by_org(items: Sequence[Item]) -> dict[str, list[Record]]:
    orgs: dict[str, list[Record]] = defaultdict(list)
    for item in items:
        try:
            record = Record.model_validate(item)
        except ValidationError as error:
            log.error("record_unreadable", pk=item["PK"], reason=str(error))
            continue
        orgs[record.org_id].append(record)
    return orgs

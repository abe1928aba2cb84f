"""Recording an event, and searching the records."""

from chassis.declare.subscription import AnyEvent
from chassis.errors import AlreadyHandled, FieldError, Invalid
from chassis.telemetry.tracing import current_trace_id
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import EventContext, OrgScope
from services.audit.records.model import Record
from services.audit.records.repository import RecordRepository, Search


def record_of(event: AnyEvent, ctx: EventContext) -> Record:
    """`tasks.task.assigned.v1` with the subject `task_1` is about the resource `task_1` of kind `task`."""
    words = event.type.split(".")
    scope = ctx.scope
    return Record(
        id=ctx.event_id,
        org_id=scope.org_id,
        at=ctx.time,
        recorded_at=scope.now(),
        actor=scope.actor.id,
        action=event.type,
        resource_kind=words[1] if len(words) > 1 else event.type,
        resource_id=ctx.subject,
        data=event.data,
        client_ip=scope.actor.client_ip,
        user_agent=scope.actor.user_agent,
        correlation_id=scope.cause.correlation_id,
        causation_id=ctx.causation_id,
        trace_id=current_trace_id(),
    )


async def store_record(scope: OrgScope, record: Record) -> None:
    """Store it unsealed: linking it to its neighbours here would let only one event of an organization through at a
    time. Raises AlreadyHandled if it is recorded already, also when it is replayed after its claim has expired."""
    unit = scope.unit_of_work()
    RecordRepository(scope).create(unit, record, on_conflict=AlreadyHandled("It is recorded already."))
    await unit.commit()


async def list_records(scope: OrgScope, search: Search, request: PageRequest) -> Page[Record]:
    """Raises Invalid for a span of time that ends before it begins."""
    if search.since and search.until and search.since >= search.until:
        problem = FieldError("query.until", "must be later than since")
        raise Invalid("The span of time is empty: until must be later than since.", [problem])
    return await RecordRepository(scope).search(search, request)

"""The events of an aggregate give the same projection in a thousand orders, with some of them twice."""

import asyncio
import itertools
import json
import random
from collections.abc import Sequence

import pytest

from chassis.messaging.dispatch import Delivery, Dispatcher
from chassis.testing.memory import MemoryTable
from chassis.testing.service import CountingIds, FakeBus, FakeClock
from chassis.work.context import ServiceContext
from chassis.work.outbox import Outbox
from contracts.common import Role, TaskStatus
from contracts.event import SOURCE_PREFIX, Envelope, Event
from contracts.tasks import v1 as tasks
from contracts.tenancy import v1 as tenancy
from verification.simulation import folds
from verification.simulation.driver import silence_logs
from verification.simulation.process import subscriptions_of

ORDERS = 1000
WITH_MEMBERS = ("tasks", "notify", "files", "audit", "analytics")
USER = "user_bo"
ORG = "org_acme"


def _membership_events() -> list[tuple[int, Event]]:
    """A member is added, promoted twice, removed, added again, and becomes a viewer."""
    member = {"user_id": USER, "email": "bo@acme.example", "name": "Bo"}
    roles = (Role.MEMBER, Role.MANAGER, Role.ADMIN)
    facts: list[Event] = [tenancy.MemberAdded(**member, role=roles[0])]
    facts += [tenancy.MemberRoleChanged(**member, previous_role=a, role=b) for a, b in itertools.pairwise(roles)]
    facts += [tenancy.MemberRemoved(**member, role=Role.ADMIN), tenancy.MemberAdded(**member, role=Role.MEMBER)]
    facts += [tenancy.MemberRoleChanged(**member, previous_role=Role.MEMBER, role=Role.VIEWER)]
    return list(enumerate(facts, start=1))


def _task_events() -> list[tuple[int, Event]]:
    task = {"task_id": "task_1", "project_id": "proj_web", "title": "Ship"}
    open_, moving, done = TaskStatus.OPEN, TaskStatus.IN_PROGRESS, TaskStatus.DONE
    more = {"priority": "low", "assigned_by": "user_ada"}
    return [
        (1, tasks.ProjectCreated(project_id="proj_web", key="WEB", name="Web", lead_id="user_ada")),
        (1, tasks.TaskCreated(**task, number=1, status=open_, priority="low")),
        (2, tasks.TaskAssigned(**task, status=open_, assignee_id=USER, **more)),
        (3, tasks.TaskStatusChanged(**task, previous_status=open_, status=moving, assignee_ids=[USER])),
        (4, tasks.TaskStatusChanged(**task, previous_status=moving, status=done, assignee_ids=[USER])),
        (5, tasks.TaskAssigned(**task, status=done, assignee_id="user_cy", **more)),
        (6, tasks.TaskStatusChanged(**task, previous_status=done, status=open_, assignee_ids=[USER, "user_cy"])),
        (7, tasks.TaskUnassigned(**task, status=open_, assignee_id=USER)),
    ]


def _bodies(facts: Sequence[tuple[int, Event]]) -> list[bytes]:
    clock, bodies = FakeClock(), []
    for number, (version, event) in enumerate(facts):
        clock.advance(hours=7)  # so that the figures by day differ
        envelope = Envelope(
            id=f"event{number}",
            source=SOURCE_PREFIX + event.owner(),
            type=event.event_type,
            time=clock.now(),
            subject=event.subject(),
            dataschema=event.schema_path(),
            orgid=ORG,
            actor="user_ada",
            aggregateversion=version,
            correlationid="correlation",
            data=event.model_dump(mode="json", exclude_none=True),
        )
        detail = envelope.model_dump(mode="json", exclude_none=True)
        bodies.append(json.dumps({"source": envelope.source, "detail-type": envelope.type, "detail": detail}).encode())
    return bodies


async def _project(service: str, subscription: str, bodies: Sequence[bytes]) -> dict[str, object]:
    """The items in the service's table at the end, without its inbox."""
    table, clock = MemoryTable(), FakeClock()
    context = ServiceContext(service, table, Outbox(table, FakeBus(), clock), clock, CountingIds())
    [declared] = [each for each in subscriptions_of(service) if each.name == subscription]
    dispatcher = Dispatcher(context, declared)
    for body in bodies:
        await dispatcher.handle(Delivery(body, "message"))
    return {
        f"{key.pk} {key.sk}": folds.nonzero(item) if service == "analytics" and "MEMBER" not in key.pk else item
        for key, item in table.items.items()
        if not key.pk.startswith("INBOX#")
    }


def _project_in_all_orders(service: str, subscription: str, facts: Sequence[tuple[int, Event]]) -> dict[str, object]:
    bodies, dice = _bodies(facts), random.Random(service)

    async def all_orders() -> dict[str, object]:
        wanted = await _project(service, subscription, bodies)
        for _ in range(ORDERS):
            order = [*bodies, *dice.sample(bodies, 2)]
            dice.shuffle(order)
            assert await _project(service, subscription, order) == wanted, order
        return wanted

    with silence_logs():
        return asyncio.run(all_orders())


@pytest.mark.parametrize("service", WITH_MEMBERS)
def test_members_converge(service: str) -> None:
    [row] = _project_in_all_orders(service, "members", _membership_events()).values()

    assert isinstance(row, dict)
    assert (row["role"], row["active"], row["version"]) == ("viewer", True, 6)


def test_memberships_in_tokens_converge() -> None:
    rows = _project_in_all_orders("identity", "memberships", _membership_events()).values()

    assert len(rows) == 2  # of the person, for their tokens, and of the organization, for the guards
    for row in rows:
        assert isinstance(row, dict)
        assert (row["role"], row["active"], row["version"]) == ("viewer", True, 6)


def test_figures_converge() -> None:
    figures = _project_in_all_orders("analytics", "figures", _task_events())

    project, person = figures[f"ORG#{ORG}#PROJECT#proj_web A"], figures[f"ORG#{ORG}#PERSON#user_cy A"]
    assert project == {"created": 1, "open": 1, "done_on_2026-11-22": 1, "done_on_2026-11-23": -1}
    assert person == {"assigned": 1, "open": 1, "done_on_2026-11-23": -1}

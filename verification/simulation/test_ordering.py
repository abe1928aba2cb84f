"""An aggregate's events in a thousand orders, some of them twice, make the same projection."""

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
from verification.simulation.driver import quiet
from verification.simulation.process import subscriptions_of

ORDERS = 1000
WITH_MEMBERS = ("tasks", "notify", "files", "audit", "analytics")
USER = "user_bo"
ORG = "org_acme"


def _life_of_a_membership() -> list[tuple[int, Event]]:
    """Added, promoted twice, removed, invited again, and at last a viewer."""
    who = {"user_id": USER, "email": "bo@acme.example", "name": "Bo"}
    roles = (Role.MEMBER, Role.MANAGER, Role.ADMIN)
    facts: list[Event] = [tenancy.MemberAdded(**who, role=roles[0])]
    facts += [tenancy.MemberRoleChanged(**who, previous_role=a, role=b) for a, b in itertools.pairwise(roles)]
    facts += [tenancy.MemberRemoved(**who, role=Role.ADMIN), tenancy.MemberAdded(**who, role=Role.MEMBER)]
    facts += [tenancy.MemberRoleChanged(**who, previous_role=Role.MEMBER, role=Role.VIEWER)]
    return list(enumerate(facts, start=1))


def _life_of_a_task() -> list[tuple[int, Event]]:
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


async def _projected(service: str, subscription: str, bodies: Sequence[bytes]) -> dict[str, object]:
    """What stands in the service's table at the end, but for its inbox."""
    table, clock = MemoryTable(), FakeClock()
    context = ServiceContext(service, table, Outbox(table, FakeBus(), clock), clock, CountingIds())
    [found] = [each for each in subscriptions_of(service) if each.name == subscription]
    dispatcher = Dispatcher(context, found)
    for body in bodies:
        await dispatcher.handle(Delivery(body, "message"))
    return {
        f"{key.pk} {key.sk}": folds.nonzero(item) if service == "analytics" and "MEMBER" not in key.pk else item
        for key, item in table.items.items()
        if not key.pk.startswith("INBOX#")
    }


def _converges(service: str, subscription: str, facts: Sequence[tuple[int, Event]]) -> dict[str, object]:
    bodies, dice = _bodies(facts), random.Random(service)

    async def all_orders() -> dict[str, object]:
        wanted = await _projected(service, subscription, bodies)
        for _ in range(ORDERS):
            order = [*bodies, *dice.sample(bodies, 2)]
            dice.shuffle(order)
            assert await _projected(service, subscription, order) == wanted, order
        return wanted

    with quiet():
        return asyncio.run(all_orders())


@pytest.mark.parametrize("service", WITH_MEMBERS)
def test_members_converge(service: str) -> None:
    [row] = _converges(service, "members", _life_of_a_membership()).values()

    assert isinstance(row, dict)
    assert (row["role"], row["active"], row["version"]) == ("viewer", True, 6)


def test_memberships_in_tokens_converge() -> None:
    rows = _converges("identity", "memberships", _life_of_a_membership()).values()

    assert len(rows) == 2  # of the person, for their tokens, and of the organization, for the guards
    for row in rows:
        assert isinstance(row, dict)
        assert (row["role"], row["active"], row["version"]) == ("viewer", True, 6)


def test_figures_converge() -> None:
    figures = _converges("analytics", "figures", _life_of_a_task())

    project, person = figures[f"ORG#{ORG}#PROJECT#proj_web A"], figures[f"ORG#{ORG}#PERSON#user_cy A"]
    assert project == {"created": 1, "open": 1, "done_on_2026-11-22": 1, "done_on_2026-11-23": -1}
    assert person == {"assigned": 1, "open": 1, "done_on_2026-11-23": -1}

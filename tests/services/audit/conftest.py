from typing import cast

import pytest

from chassis.storage.keys import Key
from chassis.storage.table import Item
from chassis.testing.memory import MemoryTable
from chassis.testing.service import ACME, ServiceUnderTest
from contracts.common import Priority, TaskStatus
from contracts.tasks import v1 as tasks
from services.audit.chain.model import Verification
from services.audit.chain.usecases.sealing import seal_all
from services.audit.chain.usecases.verification import verify
from services.audit.records.consumers import trail
from services.audit.service import service


class AuditUnderTest(ServiceUnderTest):
    """Audit, with the table in the hands of somebody who may write to it directly."""

    def __init__(self) -> None:
        super().__init__(service)
        self.items = cast("MemoryTable", self.table).items

    async def record(self, count: int, *, org_id: str = ACME) -> list[str]:
        """Let audit record that many events. Returns their ids."""
        ids = []
        for number in range(1, count + 1):
            self.clock.advance(seconds=1)
            ids.append(await self.deliver(trail, moved(f"task_{number}"), org_id=org_id))
        return ids

    async def seal(self) -> None:
        await seal_all(self.context)

    async def verify(self, org_id: str = ACME) -> Verification:
        return await verify(self.scope(org_id=org_id))

    def stored(self, record_id: str, *, org_id: str = ACME) -> Item:
        return self.items[Key(f"ORG#{org_id}#RECORD#{record_id}")]

    def records(self, org_id: str = ACME) -> list[Item]:
        return [item for key, item in self.items.items() if key.pk.startswith(f"ORG#{org_id}#RECORD#")]


def moved(task_id: str = "task_1") -> tasks.TaskStatusChanged:
    return tasks.TaskStatusChanged(
        task_id=task_id,
        project_id="proj_web",
        title="Ship",
        previous_status=TaskStatus.OPEN,
        status=TaskStatus.DONE,
        assignee_ids=["user_bo"],
    )


def created(task_id: str = "task_1") -> tasks.TaskCreated:
    return tasks.TaskCreated(
        task_id=task_id,
        project_id="proj_web",
        number=1,
        title="Ship",
        status=TaskStatus.OPEN,
        priority=Priority.LOW,
    )


@pytest.fixture
def audit() -> AuditUnderTest:
    return AuditUnderTest()

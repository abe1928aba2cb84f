"""An organization with an import under way, whose process can die at any write."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from chassis.errors import Unavailable
from chassis.storage.keys import Key
from chassis.storage.table import Item, WriteOperation
from chassis.tenants.members import subscription as members
from chassis.testing.memory import MemoryTable
from chassis.testing.service import FakeBus, ServiceUnderTest
from contracts.common import Role
from contracts.event import Envelope
from contracts.tasks import v1 as events
from contracts.tenancy.v1 import MemberRemoved
from services.tasks.imports.consumers import imports
from services.tasks.service import service

SHEET = """project,title,assignee,labels
WEB,One,bo@acme.example,bug
OPS,Two,BO@acme.example,
WEB,,bo@acme.example,
WEB,Four,cy@acme.example,
NONE,Five,nobody@acme.example,
WEB,Six,,
OPS,Seven,cy@acme.example,
"""
CSV = {"Content-Type": "text/csv"}


class MortalTable(MemoryTable):
    """A table whose process is dead from its `until`-th write on; with `after`, that one write is still carried out.
    `overtaken` has, by the number of a write, what happens just before that write.

    It lets others go first, as a network does, so that concurrent work is interleaved.
    """

    def __init__(self) -> None:
        super().__init__()
        self.live()

    def live(self, *, until: int | None = None, after: bool = False) -> None:
        self.writes, self.until, self.after = 0, until, after
        self.overtaken: dict[int, Callable[[], Awaitable[None]]] = {}

    async def get(self, key: Key) -> Item | None:
        item = await super().get(key)
        await asyncio.sleep(0)
        return item

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        await asyncio.sleep(0)
        self.writes += 1
        if overtake := self.overtaken.pop(self.writes, None):
            await overtake()
        dead = self.until is not None and self.writes >= self.until
        if not dead or (self.after and self.writes == self.until):
            await super().write(operations)
        if dead:
            raise Unavailable("no answer")


class Office:
    """Two projects, three members, and `SHEET` asked to be imported."""

    def __init__(self) -> None:
        self.table = MortalTable()
        self.service = ServiceUnderTest(service, table=self.table)
        self.client = self.service.client("user_ada", Role.MANAGER)
        self.ids = self.service.ids
        self.earlier: list[FakeBus] = []
        self.import_id = ""
        self.requested: Envelope

    async def open(self) -> None:
        await self.service.add_member("user_ada", Role.MANAGER)
        await self.service.add_member("user_bo")
        await self.service.add_member("user_cy")
        for key in ("WEB", "OPS"):
            await self.client.post("/v1/projects", json={"key": key, "name": key})
        await self.ask()
        self.table.live()

    async def ask(self) -> None:
        """Ask for an import of the sheet; from now on it is the one that the office is about."""
        answer = await self.client.post("/v1/imports", content=SHEET.encode(), headers=CSV)
        assert answer.status_code == 202, answer.text
        self.import_id = answer.json()["id"]
        self.requested = (await self.service.published_events(events.ImportRequested))[-1]

    def restart(self) -> None:
        """Go on in a new process. The memory of the dead one is gone, and with it events to publish."""
        self.table.live()
        self.earlier.append(self.service.bus)
        self.service = ServiceUnderTest(service, table=self.table)
        self.service.context = replace(self.service.context, ids=self.ids)
        self.client = self.service.client("user_ada", Role.MANAGER)

    async def deliver(self, requested: Envelope | None = None) -> None:
        envelope = (requested or self.requested).model_dump(mode="json", exclude_none=True)
        body = {"source": envelope["source"], "detail-type": envelope["type"], "detail": envelope}
        await self.service.deliver_raw(imports, body)

    async def remove(self, user_id: str) -> None:
        """They leave the organization."""
        name = user_id.removeprefix("user_")
        event = MemberRemoved(user_id=user_id, email=f"{name}@acme.example", name=name.title(), role=Role.MEMBER)
        await self.service.deliver(members, event, version=2)

    async def report(self) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.client.get(f"/v1/imports/{self.import_id}")).json()
        return answer

    async def tasks(self) -> list[dict[str, Any]]:
        """Of both projects, by number, with the project's key instead of its id."""
        projects = (await self.client.get("/v1/projects")).json()["items"]
        lists = [
            (await self.client.get("/v1/tasks", params={"project_id": project["id"], "limit": 200})).json()["items"]
            for project in projects
        ]
        return [
            {**task, "project_id": project["key"]} for project, of in zip(projects, lists, strict=True) for task in of
        ]

    async def titles_of(self, user_id: str) -> list[str]:
        answer = await self.client.get("/v1/tasks", params={"assignee_id": user_id})
        return [task["title"] for task in answer.json()["items"]]

    async def outcome(self) -> dict[str, Any]:
        """Everything that must not depend on who died where."""
        await self.service.outbox.flush()
        await self.service.outbox.sweep()
        distinct = {each.id: each for bus in (*self.earlier, self.service.bus) for each in bus.envelopes}
        return {
            "report": await self.report(),
            "tasks": await self.tasks(),
            "of_bo": await self.titles_of("user_bo"),
            "published": sorted((each.type, each.subject, str(each.data)) for each in distinct.values()),
        }

"""Fakes and shorthands of notify's tests."""

from collections.abc import Sequence
from typing import Any

from chassis.storage.table import WriteOperation
from chassis.tenants import members
from chassis.testing.memory import MemoryTable
from chassis.testing.service import ServiceUnderTest
from contracts.common import Role
from contracts.tenancy import v1 as tenancy
from services.notify.adapters.templating import TemplateComposer
from services.notify.ports import Composer, Mail, Mailer
from services.notify.service import service

PUBLIC_URL = "https://tenfold.test"


class Killed(Exception):
    """The process dies here."""


class FakeMailer:
    """Keeps what is sent. `troubles` by address are raised instead of sending, `after` once the mail is out."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []
        self.tried: list[str] = []
        self.troubles: dict[str, Exception] = {}
        self.trouble: Exception | None = None
        self.after: Exception | None = None

    async def send(self, mail: Mail) -> None:
        self.tried.append(mail.to)
        trouble = self.trouble or self.troubles.get(mail.to)
        if trouble:
            raise trouble
        self.sent.append(mail)
        if self.after:
            raise self.after

    @property
    def addresses(self) -> list[str]:
        return sorted(mail.to for mail in self.sent)


class CountingTable(MemoryTable):
    """Dies at the write with the number `dies_at`, counted from 1: before it, or after it was carried out."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.dies_at = 0
        self.carried_out = False

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        self.writes += 1
        dies = self.writes == self.dies_at
        if dies and not self.carried_out:
            raise Killed
        await super().write(operations)
        if dies:
            raise Killed


class Notify(ServiceUnderTest):
    """The service on fakes, and the items in its table."""

    def __init__(self) -> None:
        self.mailer, self.store = FakeMailer(), CountingTable()
        ports: dict[type, object] = {Mailer: self.mailer, Composer: TemplateComposer(PUBLIC_URL)}
        super().__init__(service, ports=ports, table=self.store)

    async def add_members(self, *user_ids: str) -> None:
        for user_id in user_ids:
            await self.add_member(user_id)

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Every stored item of a kind, of every organization."""
        return [item for key, item in self.store.items.items() if f"#{kind}#" in key.pk and key.pk.startswith("ORG#")]

    @property
    def notifications(self) -> list[dict[str, Any]]:
        return self.items("NOTIFICATION")

    @property
    def deliveries(self) -> dict[str, dict[str, Any]]:
        """By address."""
        return {item["recipient"]: item for item in self.items("DELIVERY")}

    @property
    def notified(self) -> list[str]:
        """The user id of each notification."""
        return sorted(item["user_id"] for item in self.notifications)

    async def inbox(self, user_id: str, **params: Any) -> list[dict[str, Any]]:
        async with self.client(user_id) as client:
            answer = await client.get("/v1/notifications", params=params)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def unread(self, user_id: str) -> int:
        async with self.client(user_id) as client:
            return int((await client.get("/v1/notifications/unread-count")).json()["unread"])

    async def remove_member(self, user_id: str) -> None:
        name = user_id.removeprefix("user_")
        event = tenancy.MemberRemoved(
            user_id=user_id, email=f"{name}@acme.example", name=name.title(), role=Role.MEMBER
        )
        await self.deliver(members.subscription, event, version=2)

"""Tenancy under test, with short methods for the things that people do in it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import httpx

from chassis.storage.keys import Key
from chassis.storage.table import Item, Table, WriteOperation
from chassis.tenants.vault import KeyService
from chassis.testing.keys import FakeKeys
from chassis.testing.memory import MemoryTable
from chassis.testing.service import ServiceUnderTest
from contracts.common import Plan, Role
from contracts.event import Envelope, Event
from contracts.tenancy import v1 as tenancy
from services.tenancy.ports import TokenSource
from services.tenancy.service import service

NO_OVERRIDES: dict[str, Any] = {"grants": [], "denies": []}


class FakeTokens:
    """`token-1`, `token-2`, ..."""

    def __init__(self) -> None:
        self.count = 0

    def new(self) -> str:
        self.count += 1
        return f"token-{self.count}"


class InterleavingTable(MemoryTable):
    """Lets others run before every call, as a network does."""

    async def get(self, key: Key) -> Item | None:
        await asyncio.sleep(0)
        return await super().get(key)

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        await asyncio.sleep(0)
        await super().write(operations)


def before_next_write(world: "World", first: Callable[[], Awaitable[object]]) -> None:
    """Let something else happen between what the next change reads and what it writes."""
    table = world.sut.table
    assert isinstance(table, MemoryTable)
    write = table.write

    async def late(operations: Sequence[WriteOperation]) -> None:
        table.write = write  # type: ignore[method-assign]
        await first()
        await write(operations)

    table.write = late  # type: ignore[method-assign]


def email_of(user: str) -> str:
    return f"{user}@acme.example"


class World:
    """People are named without the `user_` of their ids."""

    def __init__(self, table: Table | None = None) -> None:
        self.sut = ServiceUnderTest(service, ports={TokenSource: FakeTokens(), KeyService: FakeKeys()}, table=table)
        self._clients: dict[tuple[str | None, datetime], httpx.AsyncClient] = {}

    async def call(
        self, user: str | None, method: str, path: str, body: Any = None, *, key: str | None = None
    ) -> httpx.Response:
        # A client is kept for as long as its token is valid: making an app takes longer than a request.
        at = (user, self.sut.clock.now())
        if at not in self._clients:
            self._clients[at] = self.sut.client(None if user is None else f"user_{user}", org_id=None)
        headers = {"Idempotency-Key": key} if key else {}
        return await self._clients[at].request(method, f"/v1{path}", json=body, headers=headers)

    async def organization(self, owner: str = "ada", slug: str = "acme", plan: Plan = Plan.STARTER) -> str:
        created = await self.call(owner, "POST", "/organizations", {"name": slug.title(), "slug": slug})
        assert created.status_code == 201, created.text
        org_id: str = created.json()["id"]
        if plan is not Plan.FREE:
            changed = await self.call(owner, "PUT", f"/organizations/{org_id}/plan", {"plan": plan})
            assert changed.status_code == 200, changed.text
        return org_id

    async def invite(self, org_id: str, email: str, role: Role = Role.MEMBER, by: str = "ada") -> httpx.Response:
        return await self.call(by, "POST", f"/organizations/{org_id}/invitations", {"email": email, "role": role})

    async def token_for(self, email: str) -> str:
        """The token in the last e-mail to that address."""
        created = await self.events(tenancy.InvitationCreated)
        token: str = [each for each in created if each.data["email"] == email][-1].data["token"]
        return token

    async def accept(self, user: str, token: str) -> httpx.Response:
        return await self.call(user, "POST", "/invitations/accept", {"token": token})

    async def join(self, org_id: str, user: str, role: Role = Role.MEMBER, by: str = "ada") -> None:
        """Invite somebody, and accept as them."""
        invited = await self.invite(org_id, email_of(user), role, by)
        assert invited.status_code == 201, invited.text
        accepted = await self.accept(user, await self.token_for(email_of(user)))
        assert accepted.status_code == 200, accepted.text

    async def change_role(self, org_id: str, by: str, user: str, role: Role) -> httpx.Response:
        return await self.call(by, "PATCH", f"/organizations/{org_id}/members/user_{user}", {"role": role})

    async def remove(self, org_id: str, by: str, user: str) -> httpx.Response:
        return await self.call(by, "DELETE", f"/organizations/{org_id}/members/user_{user}")

    async def members(self, org_id: str, by: str = "ada") -> dict[str, str]:
        """The members, with their roles."""
        page = (await self.call(by, "GET", f"/organizations/{org_id}/members?limit=200")).json()
        return {each["user_id"].removeprefix("user_"): each["role"] for each in page["items"]}

    async def invitations(self, org_id: str, by: str = "ada") -> dict[str, str]:
        """The status of each address's newest invitation."""
        page = (await self.call(by, "GET", f"/organizations/{org_id}/invitations?limit=200")).json()
        return {each["email"]: each["status"] for each in reversed(page["items"])}

    async def seats(self, org_id: str) -> int:
        item = await self.sut.table.get(self.sut.scope(org_id=org_id).key("USAGE"))
        assert item is not None
        seats: int = item["seats"]
        return seats

    async def events(self, kind: type[Event] | None = None) -> list[Envelope]:
        return await self.sut.published_events(kind)

    async def types(self) -> list[str]:
        """The types of all events so far, without the prefix and the version."""
        return [e.type.removeprefix("tenancy.").removesuffix(".v1") for e in await self.events()]


def is_problem(answer: httpx.Response, status: int, kind: str, word: str = "") -> bool:
    """Whether it is an RFC 9457 problem of that kind, whose detail contains `word`."""
    body = answer.json()
    same = (answer.status_code, body["type"].rpartition("/")[2], body["status"]) == (status, kind, status)
    return same and word in body["detail"] and answer.headers["content-type"] == "application/problem+json"

from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from chassis.testing.memory import MemoryTable
from chassis.testing.service import ServiceUnderTest
from contracts.common import Role
from contracts.tenancy import v1 as tenancy
from services.identity.memberships.consumers import memberships
from services.identity.ports import IdentityProvider, SecretSource
from services.identity.service import service
from tests.services.identity.fakes import ProviderInMemory

EMAIL, PASSWORD = "ada@acme.example", "Blue-Harbor-47"


class FakeSecrets:
    def __init__(self) -> None:
        self.made = 0

    def new(self) -> str:
        self.made += 1
        return f"{self.made:064x}"


@dataclass
class Identity:
    """The service with the development provider, and the requests that its tests repeat."""

    service: ServiceUnderTest
    provider: ProviderInMemory
    table: MemoryTable

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, key: str | None = None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Idempotency-Key": key} if key else {}
        async with self.service.client(None) as client:
            return await client.request(method, path, json=body, headers=headers)

    async def sign_up(self, email: str = EMAIL, **more: Any) -> str:
        body = {"email": email, "password": PASSWORD, "name": "Ada", **more}
        answer = await self.call("POST", "/v1/auth/sign-up", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["user_id"])

    async def confirm(self, email: str = EMAIL, code: str | None = None) -> httpx.Response:
        return await self.call("POST", "/v1/auth/confirm", {"email": email, "code": code or self.provider.codes[email]})

    async def register(self, email: str = EMAIL, **more: Any) -> str:
        user_id = await self.sign_up(email, **more)
        assert (await self.confirm(email)).status_code == 200
        return user_id

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD, *, key: str | None = None) -> httpx.Response:
        return await self.call("POST", "/v1/auth/sign-in", {"email": email, "password": password}, key=key)

    async def token(self, email: str = EMAIL) -> str:
        answer = await self.sign_in(email)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def join(self, user_id: str, org_id: str, role: Role = Role.MEMBER, version: int = 1) -> None:
        event = tenancy.MemberAdded(user_id=user_id, email=EMAIL, name="Ada", role=role)
        await self.service.deliver(memberships, event, org_id=org_id, version=version)

    async def change_role(self, user_id: str, org_id: str, role: Role, version: int) -> None:
        event = tenancy.MemberRoleChanged(
            user_id=user_id, email=EMAIL, name="Ada", previous_role=Role.VIEWER, role=role
        )
        await self.service.deliver(memberships, event, org_id=org_id, version=version)

    async def leave(self, user_id: str, org_id: str, version: int) -> None:
        event = tenancy.MemberRemoved(user_id=user_id, email=EMAIL, name="Ada", role=Role.MEMBER)
        await self.service.deliver(memberships, event, org_id=org_id, version=version)


@pytest.fixture
def identity() -> Identity:
    table = MemoryTable()
    under_test = ServiceUnderTest(service, table=table)
    provider = ProviderInMemory(under_test.issuer, table, under_test.clock)
    ports = {**under_test.context.ports, IdentityProvider: provider, SecretSource: FakeSecrets()}
    under_test.context = replace(under_test.context, ports=ports)
    return Identity(under_test, provider, table)

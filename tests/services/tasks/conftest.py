import pytest

from chassis.testing.service import ServiceUnderTest
from contracts.common import Role
from services.tasks.imports import csv_import
from services.tasks.service import service
from tests.services.tasks.office import Office


@pytest.fixture
async def under_test() -> ServiceUnderTest:
    """The tasks service with Ada, who owns acme, and its members Bo and Cy."""
    made = ServiceUnderTest(service)
    await made.add_member("user_ada", Role.OWNER)
    await made.add_member("user_bo")
    await made.add_member("user_cy")
    return made


@pytest.fixture
async def project_id(under_test: ServiceUnderTest) -> str:
    async with under_test.client() as client:
        answer = await client.post("/v1/projects", json={"key": "WEB", "name": "Web"})
    return str(answer.json()["id"])


@pytest.fixture
async def task_id(under_test: ServiceUnderTest, project_id: str) -> str:
    async with under_test.client() as client:
        answer = await client.post("/v1/tasks", json={"project_id": project_id, "title": "Ship it"})
    return str(answer.json()["id"])


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that seven rows make three chunks."""
    monkeypatch.setattr(csv_import, "CHUNK_ROWS", 3)


@pytest.fixture
async def office(small_chunks: None) -> Office:
    office = Office()
    await office.open()
    return office

import pytest

from chassis.errors import NotFound
from chassis.testing.service import ServiceUnderTest
from contracts.common import Role
from contracts.tasks import v1 as events
from services.tasks.imports.consumers import imports
from tests.services.tasks.office import CSV, SHEET, Office


async def test_an_accepted_import_runs(office: Office) -> None:
    expected = {"id": office.import_id, "status": "running", "rows": 7, "created": 0, "failed": 0, "errors": []}
    assert await office.report() == expected
    assert (office.requested.actor, office.requested.aggregateversion) == ("user_ada", 1)
    assert office.requested.data == {"import_id": office.import_id, "rows": 7, "requested_by": "user_ada"}


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("text/csv; charset=latin-1", SHEET.encode("latin-1"), 415),
        ("", b"", 415),
        ("text/csv", b"project\nWEB\n", 422),
        ("text/csv", b"x" * (1024 * 1024 + 1), 413),
        ('Text/CSV; charset="UTF-8"', b"\xef\xbb\xbfproject,title\nWEB,T\n", 202),
    ],
)
async def test_what_is_not_csv_is_refused(
    under_test: ServiceUnderTest, content_type: str, body: bytes, status: int
) -> None:
    async with under_test.client() as client:
        answer = await client.post("/v1/imports", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert len(await under_test.published_events(events.ImportRequested)) == (status == 202)


async def test_a_missing_column_is_named(under_test: ServiceUnderTest) -> None:
    async with under_test.client() as client:
        answer = await client.post("/v1/imports", content=b"project,labels\nWEB,\n", headers=CSV)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "header.title")


async def test_a_repeated_request_makes_one_import(under_test: ServiceUnderTest) -> None:
    headers = {**CSV, "Idempotency-Key": "once"}
    async with under_test.client() as client:
        first = await client.post("/v1/imports", content=SHEET.encode(), headers=headers)
        second = await client.post("/v1/imports", content=SHEET.encode(), headers=headers)
    assert (second.status_code, second.content) == (202, first.content)
    assert second.headers.get("etag") == first.headers.get("etag")
    assert len(await under_test.published_events(events.ImportRequested)) == 1


async def test_a_member_may_not_import(under_test: ServiceUnderTest) -> None:
    async with under_test.client("user_bo", Role.MEMBER) as client:
        answer = await client.post("/v1/imports", content=SHEET.encode(), headers=CSV)
    assert (answer.status_code, answer.json()["operation"]) == (403, "tasks.import.create")


async def test_an_import_of_another_organization_does_not_exist(office: Office) -> None:
    async with office.service.client(org_id="org_other") as client:
        answer = await client.get(f"/v1/imports/{office.import_id}")
    assert answer.status_code == 404
    with pytest.raises(NotFound):
        await office.service.deliver(imports, requested_event(office), org_id="org_other")


def requested_event(office: Office) -> events.ImportRequested:
    return events.ImportRequested(import_id=office.import_id, rows=7, requested_by="user_ada")

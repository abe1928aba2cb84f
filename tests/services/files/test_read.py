"""Lists and addresses: who gets them, and who does not."""

import pytest

from chassis.tenants.members import Member, project
from chassis.testing.service import ServiceUnderTest
from contracts.common import Role
from services.files.uploads.consumers import objects
from tests.services.files.conftest import Request
from tests.services.files.fakes import FakeObjectStore

TEXT = b"name,amount\nlake,3\n"
PATHS = ("", "/download", "/thumbnail", "/text")


async def upload_file(files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request, name: str) -> str:
    given = await request_upload(TEXT, "text/csv", name)
    await files.deliver_raw(objects, store.upload(given["upload"], TEXT))
    return str(given["id"])


async def test_a_viewer_lists_files_newest_first_in_pages(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request
) -> None:
    for number in range(5):
        await upload_file(files, store, request_upload, f"{number}.csv")
        files.clock.advance(seconds=1)
    names: list[str] = []
    async with files.client("user_vi", Role.VIEWER) as client:
        query: dict[str, str] | None = {"limit": "2"}
        while query:
            page = (await client.get("/v1/files", params=query)).json()
            names += [file["name"] for file in page["items"]]
            query = {"limit": "2", "cursor": page["next"]} if "next" in page else None
    assert names == ["4.csv", "3.csv", "2.csv", "1.csv", "0.csv"]


async def test_one_file(files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request) -> None:
    file_id = await upload_file(files, store, request_upload, "a.csv")
    async with files.client("user_vi", Role.VIEWER) as client:
        file = (await client.get(f"/v1/files/{file_id}")).json()
    assert file == {
        "id": file_id,
        "name": "a.csv",
        "content_type": "text/csv",
        "size": len(TEXT),
        "status": "uploaded",
        "owner_id": "user_ada",
        "failures": [],
        "version": 2,
        "created_at": "2026-11-21T09:00:00Z",
    }


async def test_a_download_is_saved_under_its_name(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request
) -> None:
    file_id = await upload_file(files, store, request_upload, "März.csv")
    async with files.client("user_vi", Role.VIEWER) as client:
        address = (await client.get(f"/v1/files/{file_id}/download")).json()
    assert f"org_acme/{file_id}/original?version=v1&as=text/csv&attachment" in address["url"]
    assert "M%C3%A4rz.csv" in address["url"]
    assert address["expires_at"] == "2026-11-21T09:05:00Z"


async def test_before_the_store_confirms_there_is_nothing_to_download(
    files: ServiceUnderTest, request_upload: Request
) -> None:
    given = await request_upload(TEXT, "text/csv")
    async with files.client() as client:
        answer = await client.get(f"/v1/files/{given['id']}/download")
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (409, "not-yet")
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("path", PATHS)
async def test_another_organizations_file_is_like_one_that_does_not_exist(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request, path: str
) -> None:
    file_id = await upload_file(files, store, request_upload, "a.csv")
    async with files.client("user_eve", org_id="org_other") as eve:
        theirs = await eve.get(f"/v1/files/{file_id}{path}")
        missing = await eve.get(f"/v1/files/file_0{path}")
        listed = (await eve.get("/v1/files")).json()["items"]
    assert (theirs.status_code, missing.status_code) == (404, 404)
    assert {k: v for k, v in theirs.json().items() if k != "trace_id"} == {
        k: v for k, v in missing.json().items() if k != "trace_id"
    }
    assert listed == []


@pytest.mark.parametrize("path", PATHS)
async def test_a_removed_member_reads_nothing(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request, path: str
) -> None:
    file_id = await upload_file(files, store, request_upload, "a.csv")
    gone = Member(id="user_bo", email="b@b.example", name="Bo", role=Role.OWNER, active=False, version=2)
    await project(files.scope(), gone)
    async with files.client("user_bo", mv=1) as client:
        assert (await client.get(f"/v1/files/{file_id}{path}")).status_code == 401


async def test_an_invalid_id_is_refused_by_name(files: ServiceUnderTest) -> None:
    async with files.client() as client:
        answer = await client.get("/v1/files/FILE%23x")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "path.file_id"

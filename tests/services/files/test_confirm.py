"""The store's event confirms or rejects a file, or has its object deleted; what a client says counts for nothing."""

from collections.abc import Callable

import pytest

from chassis.errors import Rejected, Unavailable
from chassis.testing.memory import MemoryTable
from chassis.testing.service import ServiceUnderTest
from contracts.common import Role
from contracts.files import v1 as events
from services.files.uploads.consumers import objects
from tests.services.files.conftest import Request
from tests.services.files.fakes import FakeObjectStore, FormRefused, Version, object_created

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 50
EVIL = b"MZ" + b"\0" * (len(PNG) - 2)


async def status_of(files: ServiceUnderTest, file_id: str) -> str:
    async with files.client("user_vi", Role.VIEWER) as client:
        return str((await client.get(f"/v1/files/{file_id}")).json().get("status"))


async def test_the_store_confirms_a_file(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request
) -> None:
    given = await request_upload(PNG)
    await files.deliver_raw(objects, store.upload(given["upload"], PNG))
    assert await status_of(files, given["id"]) == "uploaded"
    requested, uploaded = await files.published_events()
    assert uploaded.type == events.FileUploaded.event_type
    assert uploaded.aggregateversion == 2
    assert uploaded.correlationid == requested.correlationid
    assert uploaded.data == requested.data
    assert isinstance(files.table, MemoryTable)
    [item] = [item for key, item in files.table.items.items() if "#FILE#" in key.pk]
    assert "expires_at" not in item


async def test_a_repeated_event_confirms_once(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request
) -> None:
    given = await request_upload(PNG)
    event = store.upload(given["upload"], PNG)
    await files.deliver_raw(objects, event)
    await files.deliver_raw(objects, event, receive_count=2)
    assert len(await files.published_events(events.FileUploaded)) == 1
    assert store.keys == {f"org_acme/{given['id']}/original"}


async def test_another_file_is_confirmed_by_itself(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request
) -> None:
    """The control of the test above."""
    for _ in range(2):
        await files.deliver_raw(objects, store.upload((await request_upload(PNG))["upload"], PNG))
    assert len(await files.published_events(events.FileUploaded)) == 2


@pytest.mark.parametrize("size", [0, len(PNG) - 1, len(PNG) + 1])
async def test_the_store_takes_the_announced_size_only(
    store: FakeObjectStore, request_upload: Request, size: int
) -> None:
    given = await request_upload(PNG)
    with pytest.raises(FormRefused):
        store.upload(given["upload"], b"x" * size)


async def test_a_disguised_file_is_rejected_and_deleted(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request, sample: Callable[[str], bytes]
) -> None:
    content = sample("disguised.png")
    given = await request_upload(content, name="disguised.png")
    await files.deliver_raw(objects, store.upload(given["upload"], content))
    assert store.keys == set()
    [event] = await files.published_events(events.FileRejected)
    reason = "The file was announced as image/png, but it is text."
    assert event.data == {
        "file_id": given["id"],
        "name": "disguised.png",
        "reason": reason,
        "owner_id": "user_ada",
    }
    async with files.client() as client:
        [listed] = (await client.get("/v1/files")).json()["items"]
        download = await client.get(f"/v1/files/{given['id']}/download")
    assert (listed["status"], listed["reason"]) == ("rejected", reason)
    assert download.status_code == 409
    assert reason in download.json()["detail"]


@pytest.mark.parametrize(
    ("content_type", "sample_name"),
    [
        ("image/jpeg", "lake-at-dawn.jpg"),
        ("image/png", "night-over-the-ridge.png"),
        ("application/pdf", "first-quarter-plan.pdf"),
        ("text/plain", "meeting-notes.txt"),
    ],
)
async def test_the_good_samples_are_what_they_say(
    files: ServiceUnderTest,
    store: FakeObjectStore,
    request_upload: Request,
    sample: Callable[[str], bytes],
    content_type: str,
    sample_name: str,
) -> None:
    content = sample(sample_name)
    given = await request_upload(content, content_type, sample_name)
    await files.deliver_raw(objects, store.upload(given["upload"], content))
    assert await status_of(files, given["id"]) == "uploaded"


async def test_a_wrong_size_or_type_in_the_store_is_rejected(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request
) -> None:
    """The form prevents it; a policy that somebody weakened would not."""
    for content, content_type, words in ((PNG + b"x", "image/png", "it has 59"), (PNG, "text/html", "as text/html")):
        given = await request_upload(PNG)
        key = f"org_acme/{given['id']}/original"
        await files.deliver_raw(objects, object_created(key, store.add(key, content, content_type)))
        assert words in (await files.published_events(events.FileRejected))[-1].data["reason"]
    assert store.keys == set()


async def test_a_crash_between_rejection_and_deletion_leaves_no_orphan(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request
) -> None:
    given = await request_upload(EVIL)
    event = store.upload(given["upload"], EVIL)
    store.fail_next_delete = True
    with pytest.raises(Unavailable):
        await files.deliver_raw(objects, event)
    await files.deliver_raw(objects, event, receive_count=2)
    assert store.keys == set()
    assert len(await files.published_events(events.FileRejected)) == 1


async def test_a_crash_before_the_rejection_loses_no_reason(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = await request_upload(EVIL)
    event = store.upload(given["upload"], EVIL)
    with monkeypatch.context() as patch:
        patch.setattr(files.table, "write", _unavailable)
        with pytest.raises(Unavailable):
            await files.deliver_raw(objects, event)
    await files.deliver_raw(objects, event, receive_count=2)
    [rejected] = await files.published_events(events.FileRejected)
    assert rejected.data["reason"] == "The file was announced as image/png, but it is something else."
    assert store.keys == set()


async def _unavailable(operations: object) -> None:
    raise Unavailable("The table does not answer.")


async def test_an_unreachable_store_is_tried_again(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request
) -> None:
    given = await request_upload(PNG)
    event = store.upload(given["upload"], PNG)
    store.down = True
    with pytest.raises(Unavailable):
        await files.deliver_raw(objects, event)
    store.down = False
    await files.deliver_raw(objects, event, receive_count=2)
    assert await status_of(files, given["id"]) == "uploaded"


async def test_an_object_that_nobody_asked_for_is_deleted(files: ServiceUnderTest, store: FakeObjectStore) -> None:
    key = "org_acme/file_unknown/original"
    await files.deliver_raw(objects, object_created(key, store.add(key, PNG, "image/png")))
    assert store.keys == set()
    assert await files.published_events() == []
    assert isinstance(files.table, MemoryTable)
    assert files.table.items == {}


async def test_another_organizations_key_does_not_confirm_my_file(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request
) -> None:
    given = await request_upload(PNG)
    key = f"org_other/{given['id']}/original"
    await files.deliver_raw(objects, object_created(key, store.add(key, PNG, "image/png")))
    assert store.keys == set()
    assert await status_of(files, given["id"]) == "awaiting_upload"


@pytest.mark.parametrize("with_version", [True, False])
async def test_what_is_put_over_a_confirmed_file_is_deleted_and_never_served(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request, with_version: bool
) -> None:
    """The same form, used again before it expires, with other content of the same size."""
    given = await request_upload(PNG)
    key = f"org_acme/{given['id']}/original"
    first = store.add(key, PNG, "image/png")
    await files.deliver_raw(objects, object_created(key, first, with_version=with_version))
    second = store.add(key, EVIL, "image/png")
    async with files.client() as client:
        url = (await client.get(f"/v1/files/{given['id']}/download")).json()["url"]
    assert f"version={first.id}" in url
    await files.deliver_raw(objects, object_created(key, second, with_version=with_version))
    assert store.versions[key] == [first]
    assert await status_of(files, given["id"]) == "uploaded"
    assert len(await files.published_events(events.FileUploaded)) == 1


async def test_events_out_of_order_confirm_one_and_delete_the_other(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request
) -> None:
    given = await request_upload(PNG)
    first, second = store.upload(given["upload"], PNG), store.upload(given["upload"], PNG)
    await files.deliver_raw(objects, second)
    await files.deliver_raw(objects, first)
    assert [version.id for version in store.versions[f"org_acme/{given['id']}/original"]] == ["v2"]
    assert len(await files.published_events(events.FileUploaded)) == 1


async def test_an_upload_after_a_rejection_is_deleted(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request
) -> None:
    given = await request_upload(PNG)
    await files.deliver_raw(objects, store.upload(given["upload"], EVIL))
    await files.deliver_raw(objects, store.upload(given["upload"], PNG))
    assert store.keys == set()
    assert await status_of(files, given["id"]) == "rejected"


async def test_an_object_that_is_gone_already_has_no_effect(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request
) -> None:
    given = await request_upload(PNG)
    event = store.upload(given["upload"], PNG)
    store.versions.clear()
    await files.deliver_raw(objects, event)
    assert await status_of(files, given["id"]) == "awaiting_upload"


async def test_derived_objects_confirm_nothing(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request
) -> None:
    """Their events arrive where the bus knows no suffixes."""
    given = await request_upload(PNG)
    store.upload(given["upload"], PNG)
    key = f"org_acme/{given['id']}/thumbnail.webp"
    derived = store.add(key, b"RIFF", "image/webp")
    await files.deliver_raw(objects, object_created(key, derived, with_version=False))
    assert await status_of(files, given["id"]) == "awaiting_upload"
    assert store.versions[key] == [derived]


@pytest.mark.parametrize("key", ["original", "org_acme/original", "../file_1/original", "org_a/file_1/x/original", ""])
async def test_an_unknown_key_is_dead_lettered(files: ServiceUnderTest, key: str) -> None:
    with pytest.raises(Rejected):
        await files.deliver_raw(objects, object_created(key, Version("v1", PNG, "image/png")))


async def test_an_event_without_an_object_is_dead_lettered(files: ServiceUnderTest) -> None:
    with pytest.raises(Rejected):
        await files.deliver_raw(objects, {"source": "aws.s3", "detail-type": "Object Created", "detail": {}})

"""A confirmed file is inspected once; a failed step is published, and the file is kept."""

from collections.abc import Callable
from typing import Any

import pytest

from chassis.errors import NotFound, Rejected, Unavailable
from chassis.testing.service import ServiceUnderTest
from contracts.files import v1 as events
from services.files.adapters.inspector import ProcessInspector
from services.files.content.model import Failure, Findings, ImageMetadata, Text, Thumbnail
from services.files.errors import InspectionDied
from services.files.ports import Inspector, ObjectStore
from services.files.processing.consumers import processing
from services.files.service import service
from services.files.uploads.consumers import objects
from tests.services.files.conftest import Request
from tests.services.files.fakes import FakeInspector, FakeObjectStore

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 50
SEEN = Findings(
    metadata=ImageMetadata(width=800, height=600, format="png"),
    thumbnail=Thumbnail(width=320, height=240),
    thumbnail_webp=b"small",
)


async def confirm_file(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request, content: bytes = PNG, *more: str
) -> events.FileUploaded:
    """Upload `content` and let the store confirm it. Returns the event that starts the processing."""
    given = await request_upload(content, *more)
    await files.deliver_raw(objects, store.upload(given["upload"], content))
    return events.FileUploaded.model_validate((await files.published_events(events.FileUploaded))[-1].data)


async def view(files: ServiceUnderTest, file_id: str, what: str = "") -> tuple[int, dict[str, Any]]:
    async with files.client() as client:
        answer = await client.get(f"/v1/files/{file_id}{what}")
    return answer.status_code, answer.json()


async def published_types(files: ServiceUnderTest) -> list[str]:
    """The types published since the confirmation."""
    types = [event.type for event in await files.published_events()]
    return types[types.index(events.FileUploaded.event_type) + 1 :]


async def test_findings_are_stored_and_published(
    files: ServiceUnderTest, store: FakeObjectStore, inspector: FakeInspector, request_upload: Request
) -> None:
    inspector.findings = SEEN
    event = await confirm_file(files, store, request_upload)
    await files.deliver(processing, event)
    assert inspector.seen == [PNG]
    _, file = await view(files, event.file_id)
    assert file["status"] == "ready"
    assert file["metadata"] == {"kind": "image", "width": 800, "height": 600, "format": "png", "orientation": 1}
    assert file["thumbnail"] == {"width": 320, "height": 240}
    assert (file["version"], file["failures"]) == (3, [])
    assert "text" not in file
    [small] = store.versions[f"org_acme/{event.file_id}/thumbnail.webp"]
    assert (small.content, small.content_type) == (b"small", "image/webp")
    assert await published_types(files) == ["files.thumbnail.created.v1", "files.file.processed.v1"]
    assert (await files.published_events(events.FileProcessed))[0].data == {"file_id": event.file_id, "kind": "image"}
    _, address = await view(files, event.file_id, "/thumbnail")
    assert "thumbnail.webp?version=None&as=image/webp&inline" in address["url"]
    assert address["expires_at"] == "2026-11-21T09:05:00Z"


async def test_a_repeated_event_is_processed_once(
    files: ServiceUnderTest, store: FakeObjectStore, inspector: FakeInspector, request_upload: Request
) -> None:
    inspector.findings = SEEN
    event = await confirm_file(files, store, request_upload)
    event_id = await files.deliver(processing, event)
    await files.deliver(processing, event, event_id=event_id, receive_count=2)
    await files.deliver(processing, event)  # nor does another event make a ready file ready again
    assert len(await published_types(files)) == 2
    assert len(inspector.seen) == 1


async def test_a_crash_before_the_commit_is_repaired_by_the_repetition(
    files: ServiceUnderTest, store: FakeObjectStore, inspector: FakeInspector, request_upload: Request
) -> None:
    """The derived object is there, the state is not: the repetition writes both."""
    inspector.findings = SEEN
    event = await confirm_file(files, store, request_upload)
    store.add(f"org_acme/{event.file_id}/thumbnail.webp", b"of the first try", "image/webp")
    await files.deliver(processing, event, receive_count=2)
    assert store.versions[f"org_acme/{event.file_id}/thumbnail.webp"][-1].content == b"small"
    assert len(await published_types(files)) == 2


async def test_a_failed_step_is_published_and_the_file_is_kept(
    files: ServiceUnderTest, store: FakeObjectStore, inspector: FakeInspector, request_upload: Request
) -> None:
    inspector.findings = Findings(metadata=SEEN.metadata, failures=(Failure(step="thumbnail", reason="It is broken."),))
    event = await confirm_file(files, store, request_upload)
    await files.deliver(processing, event)
    _, file = await view(files, event.file_id)
    assert (file["status"], file["failures"]) == ("ready", [{"step": "thumbnail", "reason": "It is broken."}])
    assert await published_types(files) == ["files.file.processing_failed.v1"]
    assert store.keys == {f"org_acme/{event.file_id}/original"}
    assert (await view(files, event.file_id, "/thumbnail"))[0] == 404
    assert (await view(files, event.file_id, "/download"))[0] == 200


async def test_a_process_that_dies_is_tried_again_and_then_the_file_is_to_blame(
    files: ServiceUnderTest, store: FakeObjectStore, inspector: FakeInspector, request_upload: Request
) -> None:
    inspector.deaths = 9
    event = await confirm_file(files, store, request_upload)
    for receive_count in (1, 2):
        with pytest.raises(InspectionDied):
            await files.deliver(processing, event, event_id="same", receive_count=receive_count)
        assert await published_types(files) == []
    await files.deliver(processing, event, event_id="same", receive_count=3)
    _, file = await view(files, event.file_id)
    assert file["status"] == "ready"
    assert file["failures"] == [{"step": "metadata", "reason": "Looking into the file ended with code -11."}]


async def test_a_death_by_accident_costs_nothing(
    files: ServiceUnderTest, store: FakeObjectStore, inspector: FakeInspector, request_upload: Request
) -> None:
    inspector.deaths, inspector.findings = 1, SEEN
    event = await confirm_file(files, store, request_upload)
    with pytest.raises(InspectionDied):
        await files.deliver(processing, event, event_id="same")
    await files.deliver(processing, event, event_id="same", receive_count=2)
    assert (await view(files, event.file_id))[1]["failures"] == []


async def test_an_unreachable_store_is_tried_again(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request
) -> None:
    event = await confirm_file(files, store, request_upload)
    store.down = True
    with pytest.raises(Unavailable):
        await files.deliver(processing, event, event_id="same")
    store.down = False
    await files.deliver(processing, event, event_id="same", receive_count=2)
    assert (await view(files, event.file_id))[1]["status"] == "ready"


async def test_an_object_that_is_gone_is_dead_lettered(
    files: ServiceUnderTest, store: FakeObjectStore, request_upload: Request
) -> None:
    event = await confirm_file(files, store, request_upload)
    store.versions.clear()
    with pytest.raises(Rejected):
        await files.deliver(processing, event)


async def test_the_confirmed_version_is_processed_whatever_lies_over_it(
    files: ServiceUnderTest, store: FakeObjectStore, inspector: FakeInspector, request_upload: Request
) -> None:
    event = await confirm_file(files, store, request_upload)
    store.add(f"org_acme/{event.file_id}/original", b"MZ" * 29, "image/png")
    await files.deliver(processing, event)
    assert inspector.seen == [PNG]


async def test_another_organizations_event_does_not_reach_my_file(
    files: ServiceUnderTest, store: FakeObjectStore, inspector: FakeInspector, request_upload: Request
) -> None:
    event = await confirm_file(files, store, request_upload)
    with pytest.raises(NotFound):
        await files.deliver(processing, event, org_id="org_other")
    assert inspector.seen == []


async def test_the_text_of_a_document_can_be_read(
    files: ServiceUnderTest, store: FakeObjectStore, inspector: FakeInspector, request_upload: Request
) -> None:
    inspector.findings = Findings(text=Text(pages=2, characters=4), text_utf8=b"a\fbc")
    event = await confirm_file(files, store, request_upload, b"%PDF-1.7 ...", "application/pdf")
    assert (await view(files, event.file_id, "/text"))[0] == 404
    await files.deliver(processing, event)
    _, address = await view(files, event.file_id, "/text")
    assert f"org_acme/{event.file_id}/text.txt?" in address["url"]
    [text] = store.versions[f"org_acme/{event.file_id}/text.txt"]
    assert (text.content, text.content_type) == (b"a\fbc", "text/plain; charset=utf-8")
    extracted, processed = (await files.published_events())[-2:]
    assert extracted.data == {"file_id": event.file_id, "pages": 2, "characters": 4}
    assert processed.data == {"file_id": event.file_id, "kind": "document"}


async def test_the_samples_from_form_to_ready(store: FakeObjectStore, sample: Callable[[str], bytes]) -> None:
    """With the real inspector: the path of the first day."""
    files = ServiceUnderTest(service, ports={ObjectStore: store, Inspector: ProcessInspector()})
    for name, content_type in (("valley-upright.jpg", "image/jpeg"), ("first-quarter-plan.pdf", "application/pdf")):
        content = sample(name)
        async with files.client() as client:
            body = {"name": name, "content_type": content_type, "size": len(content)}
            given = (await client.post("/v1/files", json=body)).json()
        await files.deliver_raw(objects, store.upload(given["upload"], content))
        uploaded = (await files.published_events(events.FileUploaded))[-1]
        await files.deliver(processing, events.FileUploaded.model_validate(uploaded.data))
    async with files.client() as client:
        document, photo = (await client.get("/v1/files")).json()["items"]
    assert (photo["thumbnail"], document["thumbnail"]) == ({"width": 213, "height": 320}, {"width": 227, "height": 320})
    assert document["text"]["pages"] == 4
    assert photo["failures"] == document["failures"] == []
    kinds = [event.data["kind"] for event in await files.published_events(events.FileProcessed)]
    assert kinds == ["image", "document"]

"""Requests to upload: which are allowed, which are refused, and that a refusal leaves nothing behind."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from chassis.testing.memory import MemoryTable
from chassis.testing.service import ServiceUnderTest
from contracts.common import Role
from contracts.files import v1 as events
from services.files.access.model import attachment
from services.files.content.model import ALLOWED
from tests.services.files.fakes import FakeObjectStore

PHOTO = {"name": "lake at dawn.jpg", "content_type": "image/jpeg", "size": 144560}


async def ask(
    files: ServiceUnderTest, body: Mapping[str, Any], role: Role = Role.MEMBER, *, key: str | None = None
) -> tuple[int, dict[str, Any]]:
    async with files.client("user_bo", role) as client:
        answer = await client.post("/v1/files", json=body, headers={"Idempotency-Key": key} if key else {})
    return answer.status_code, answer.json()


def items(files: ServiceUnderTest) -> list[dict[str, Any]]:
    assert isinstance(files.table, MemoryTable)
    return [item for key, item in files.table.items.items() if not key.pk.endswith("#RATE")]


async def test_a_member_gets_a_form_for_exactly_this_file(files: ServiceUnderTest) -> None:
    status, given = await ask(files, PHOTO)
    assert status == 201
    fields = given["upload"]["fields"]
    assert fields["key"] == f"org_acme/{given['id']}/original"
    assert fields["Content-Type"] == "image/jpeg"
    assert json.loads(fields["policy"]) == {"size": 144560, "seconds": 300.0}
    assert given["upload"]["expires_at"] == "2026-11-21T09:05:00Z"
    [event] = await files.published_events()
    assert event.type == events.UploadRequested.event_type
    assert (event.actor, event.aggregateversion) == ("user_bo", 1)
    assert event.data == {"file_id": given["id"], "owner_id": "user_bo", **PHOTO}


async def test_a_requested_file_is_forgotten_only_after_its_last_possible_event(files: ServiceUnderTest) -> None:
    _, given = await ask(files, PHOTO)
    [item] = [item for item in items(files) if item["PK"] == f"ORG#org_acme#FILE#{given['id']}"]
    days = (item["expires_at"] - files.clock.now().timestamp()) / 86400
    assert days > 4 + 14  # in a queue, then as a dead letter
    async with files.client() as client:
        assert (await client.get("/v1/files")).json()["items"] == []
        assert (await client.get(f"/v1/files/{given['id']}")).json()["status"] == "awaiting_upload"


@pytest.mark.parametrize(
    ("change", "status", "kind", "words"),
    [
        ({"size": 0}, 422, "invalid", "empty"),
        ({"size": 10 * 1024 * 1024 + 1}, 413, "too-large", "10 MiB (10485760 bytes)"),
        ({"content_type": "text/csv", "size": 307205}, 413, "too-large", "256 KiB (262144 bytes)"),
        ({"content_type": "application/x-msdownload"}, 415, "unsupported-type", ", ".join(ALLOWED)),
        ({"content_type": "application/x-msdownload", "size": 0}, 415, "unsupported-type", "image/jpeg"),
        ({"size": -1}, 422, "invalid", "body.size"),
        ({"size": "12"}, 422, "invalid", "body.size"),
        ({"name": ""}, 422, "invalid", "body.name"),
        ({"name": " "}, 422, "invalid", "body.name"),
        ({"name": ".."}, 422, "invalid", "body.name"),
        ({"name": "a/b.png"}, 422, "invalid", "body.name"),
        ({"name": "a\\b.png"}, 422, "invalid", "body.name"),
        ({"name": "a\nb.png"}, 422, "invalid", "body.name"),
        ({"name": "gpj.\u202eexe"}, 422, "invalid", "body.name"),
        ({"name": "n" * 256}, 422, "invalid", "body.name"),
        ({"owner_id": "user_cy"}, 422, "invalid", "body.owner_id"),
    ],
)
async def test_a_refusal_says_why_and_leaves_nothing_behind(
    files: ServiceUnderTest, change: dict[str, Any], status: int, kind: str, words: str
) -> None:
    answered, problem = await ask(files, {**PHOTO, **change})
    assert answered == status
    assert problem["type"].endswith(f"/{kind}")
    assert words in problem["detail"]
    assert items(files) == []
    assert await files.published_events() == []


@pytest.mark.parametrize("content_type", ALLOWED)
async def test_the_limit_itself_is_allowed(files: ServiceUnderTest, content_type: str) -> None:
    size = ALLOWED[content_type].max_bytes
    assert (await ask(files, {"name": "big", "content_type": content_type, "size": size}))[0] == 201
    assert (await ask(files, {"name": "big", "content_type": content_type, "size": size + 1}))[0] == 413


async def test_without_a_form_nothing_is_stored(files: ServiceUnderTest, store: FakeObjectStore) -> None:
    store.down = True
    status, problem = await ask(files, PHOTO)
    assert (status, problem["type"].rsplit("/", 1)[-1]) == (503, "unavailable")
    assert items(files) == []
    assert await files.published_events() == []


async def test_a_viewer_may_not_upload(files: ServiceUnderTest) -> None:
    status, problem = await ask(files, PHOTO, Role.VIEWER)
    assert (status, problem["operation"]) == (403, "files.file.create")
    assert [event.type for event in await files.published_events()] == ["files.access.denied.v1"]
    assert [item for item in items(files) if item["PK"].startswith("ORG#org_acme#FILE")] == []


async def test_without_a_token_nothing(files: ServiceUnderTest) -> None:
    async with files.client(None) as client:
        assert (await client.post("/v1/files", json=PHOTO)).status_code == 401
        assert (await client.get("/v1/files")).status_code == 401


async def test_a_repeated_request_asks_once(files: ServiceUnderTest) -> None:
    _, first = await ask(files, PHOTO, key="k1")
    _, again = await ask(files, PHOTO, key="k1")
    _, other = await ask(files, PHOTO, key="k2")
    assert again == first
    assert other["id"] != first["id"]
    assert len(await files.published_events(events.UploadRequested)) == 2


async def test_a_key_is_not_good_for_another_file(files: ServiceUnderTest) -> None:
    await ask(files, PHOTO, key="k1")
    status, _ = await ask(files, {**PHOTO, "size": 7}, key="k1")
    assert status == 422


def test_a_name_cannot_leave_its_header() -> None:
    assert attachment('a"b.png') == "attachment; filename=\"a_b.png\"; filename*=UTF-8''a%22b.png"
    assert attachment("Zoë 100%.txt") == "attachment; filename=\"Zo_ 100_.txt\"; filename*=UTF-8''Zo%C3%AB%20100%25.txt"

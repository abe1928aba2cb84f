"""Files that were uploaded and processed, with thumbnail and text."""

from datetime import timedelta
from typing import Any

from chassis.tenants.members import subscription as members
from contracts.files import v1 as events
from services.files.content.model import Findings, Text, Thumbnail
from services.files.ports import Form, Inspector, ObjectStore, StoredObject
from services.files.processing.consumers import processing
from services.files.uploads.consumers import objects
from tests.services.files.fakes import FakeInspector, FakeObjectStore, Version, object_created
from verification.isolation.recording import RecordingTable
from verification.isolation.world import Pair, World, text

CONTENT = b"only words\n"
FINDINGS = Findings(
    thumbnail=Thumbnail(width=1, height=1),
    thumbnail_webp=b"webp",
    text=Text(pages=1, characters=len(CONTENT)),
    text_utf8=CONTENT,
)


class RecordingStore(FakeObjectStore):
    """Records every key that it is asked for, beside the calls to the table: an org's objects are a partition."""

    def __init__(self, table: RecordingTable) -> None:
        super().__init__()
        self._table = table

    def record(self, name: str, key: str) -> None:
        org, _, rest = key.partition("/")
        partition = f"ORG#{org}#OBJECT" if org.startswith("org_") else key
        self._table.note(name, [partition], [f"{org} {rest}"])

    async def presign_post(self, key: str, *, content_type: str, size: int, lifetime: timedelta) -> Form:
        self.record("presign_post", key)
        return await super().presign_post(key, content_type=content_type, size=size, lifetime=lifetime)

    async def presign_get(
        self, key: str, *, version: str | None, content_type: str, disposition: str, lifetime: timedelta
    ) -> str:
        self.record("presign_get", key)
        return await super().presign_get(
            key, version=version, content_type=content_type, disposition=disposition, lifetime=lifetime
        )

    async def head(self, key: str, version: str | None) -> StoredObject | None:
        self.record("head", key)
        return await super().head(key, version)

    async def read(self, key: str, version: str | None, *, max_bytes: int) -> bytes | None:
        self.record("read", key)
        return await super().read(key, version, max_bytes=max_bytes)

    async def put(self, key: str, body: bytes, *, content_type: str) -> None:
        self.record("put", key)
        await super().put(key, body, content_type=content_type)

    async def delete(self, key: str, version: str | None) -> None:
        self.record("delete", key)
        await super().delete(key, version)


def event_of_object(org: str, file_id: str) -> dict[str, Any]:
    """The store's event of an object, whose key names the organization."""
    return object_created(f"{org}/{file_id}/original", Version("v1", CONTENT, "text/plain"))


async def seed() -> World:
    world = World("files")
    store = RecordingStore(world.table)
    world.set_port(ObjectStore, store)
    world.set_port(Inspector, FakeInspector(findings=FINDINGS))
    world.stateful = [store]
    await world.tell_members(members)
    theirs = [await _upload(world, store, world.owner, world.victim_org, text(f"{at}.txt")) for at in (1, 2)]
    own = [await _upload(world, store, world.attacker, world.attacker_org, f"own{at}.txt") for at in (1, 2)]
    world.pairs = {"file_id": Pair(theirs[0], own[0]), "user_id": Pair(world.vera.id, world.mallory.id)}
    world.externals = {"objects": (event_of_object, world.pairs["file_id"])}
    world.values = {"content_type": "text/plain", "size": len(CONTENT), "name": "new.txt"}
    return world


async def _upload(world: World, store: FakeObjectStore, token: str, org: str, name: str) -> str:
    world.sut.clock.advance(seconds=1)
    body = {"name": name, "content_type": "text/plain", "size": len(CONTENT)}
    requested = await world.call(token, "POST", "/v1/files", body)
    await world.sut.deliver_raw(objects, store.upload(requested["upload"], CONTENT))
    [uploaded] = [e for e in await world.sut.published_events(events.FileUploaded) if e.subject == requested["id"]]
    event = events.FileUploaded.model_validate(uploaded.data)
    await world.sut.deliver(processing, event, org_id=org)
    return str(requested["id"])

"""The store in memory, with versions and the limits of its forms; and an inspector with prepared findings."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from chassis.errors import Unavailable
from services.files.content.model import Findings
from services.files.errors import InspectionDied
from services.files.ports import Form, StoredObject

BUCKET = "bucket"


class FormRefused(Exception):
    """The store does not take this upload."""


@dataclass(frozen=True)
class Version:
    id: str
    content: bytes
    content_type: str


@dataclass
class FakeObjectStore:
    """While `down` it answers nothing; `fail_next_delete` fails once, as a process that dies there would."""

    versions: dict[str, list[Version]] = field(default_factory=dict)
    down: bool = False
    fail_next_delete: bool = False
    made: int = 0

    @property
    def keys(self) -> set[str]:
        return {key for key, versions in self.versions.items() if versions}

    # --- the port

    async def presign_post(self, key: str, *, content_type: str, size: int, lifetime: timedelta) -> Form:
        self._answer()
        policy = json.dumps({"size": size, "seconds": lifetime.total_seconds()})
        return Form("https://store.test", {"key": key, "Content-Type": content_type, "policy": policy})

    async def presign_get(
        self, key: str, *, version: str | None, content_type: str, disposition: str, lifetime: timedelta
    ) -> str:
        self._answer()
        return f"https://store.test/{key}?version={version}&as={content_type}&{disposition}&{lifetime.seconds}"

    async def head(self, key: str, version: str | None) -> StoredObject | None:
        stored = self._find(key, version)
        return StoredObject(len(stored.content), stored.content_type, stored.id) if stored else None

    async def read(self, key: str, version: str | None, *, max_bytes: int) -> bytes | None:
        stored = self._find(key, version)
        return stored.content[:max_bytes] if stored else None

    async def put(self, key: str, body: bytes, *, content_type: str) -> None:
        self._answer()
        self.add(key, body, content_type)

    async def delete(self, key: str, version: str | None) -> None:
        self._answer()
        if self.fail_next_delete:
            self.fail_next_delete = False
            raise Unavailable("The store of files does not answer.")
        versions = self.versions.get(key, [])
        self.versions[key] = [each for each in versions if each.id != version] if version else []

    # --- what clients and tests do

    def add(self, key: str, content: bytes, content_type: str) -> Version:
        self.made += 1
        version = Version(f"v{self.made}", content, content_type)
        self.versions.setdefault(key, []).append(version)
        return version

    def upload(self, upload: dict[str, Any], content: bytes) -> dict[str, Any]:
        """POST `content` with the API's form. Returns the store's event. Raises FormRefused."""
        fields = upload["fields"]
        if len(content) != json.loads(fields["policy"])["size"]:
            raise FormRefused("wrong size")
        version = self.add(fields["key"], content, fields["Content-Type"])
        return object_created(fields["key"], version)

    def _find(self, key: str, version: str | None) -> Version | None:
        self._answer()
        versions = self.versions.get(key, [])
        if version is None:
            return versions[-1] if versions else None
        return next((each for each in versions if each.id == version), None)

    def _answer(self) -> None:
        if self.down:
            raise Unavailable("The store of files can't be reached.")


def object_created(key: str, version: Version, *, with_version: bool = True) -> dict[str, Any]:
    """S3's event as the default bus delivers it; the embedded AWS leaves out the version."""
    made = {"key": key, "size": len(version.content), "etag": f"etag-{version.id}", "sequencer": f"00{version.id}"}
    if with_version:
        made["version-id"] = version.id
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-11-21T09:00:00Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{BUCKET}"],
        "detail": {
            "version": "0",
            "bucket": {"name": BUCKET},
            "object": made,
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "1.2.3.4",
            "reason": "PostObject",
        },
    }


@dataclass
class FakeInspector:
    """Dies as often as `deaths` says, then finds `findings`."""

    findings: Findings = field(default_factory=Findings)
    deaths: int = 0
    seen: list[bytes] = field(default_factory=list)

    async def inspect(self, content: bytes, content_type: str) -> Findings:
        self.seen.append(content)
        if self.deaths:
            self.deaths -= 1
            raise InspectionDied("Looking into the file ended with code -11.")
        return self.findings

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chassis.testing.service import ServiceUnderTest
from deploy.embedded.emulator import Emulator
from services.files.ports import Inspector, ObjectStore
from services.files.service import service
from tests.services.files.fakes import FakeInspector, FakeObjectStore

SAMPLES = Path(__file__).parents[3] / "examples/acme/files"
Request = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def store() -> FakeObjectStore:
    return FakeObjectStore()


@pytest.fixture
def inspector() -> FakeInspector:
    return FakeInspector()


@pytest.fixture
def files(store: FakeObjectStore, inspector: FakeInspector) -> ServiceUnderTest:
    return ServiceUnderTest(service, ports={ObjectStore: store, Inspector: inspector})


@pytest.fixture
def sample() -> Callable[[str], bytes]:
    return lambda name: (SAMPLES / name).read_bytes()


@pytest.fixture
def request_upload(files: ServiceUnderTest) -> Request:
    """Ask over HTTP for a form; `content_type` and `size` of the content by default."""

    async def ask(content: bytes, content_type: str = "image/png", name: str = "file") -> dict[str, Any]:
        async with files.client() as client:
            answer = await client.post(
                "/v1/files", json={"name": name, "content_type": content_type, "size": len(content)}
            )
        assert answer.status_code == 201, answer.text
        given: dict[str, Any] = answer.json()
        return given

    return ask


@pytest.fixture(scope="module")
def credentials() -> Iterator[None]:
    """Credentials that boto3 wants before it presigns or calls; they are good for nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        yield


@pytest.fixture(scope="module")
def emulator(credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("aws")) as started:
        yield started

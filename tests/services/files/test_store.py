"""One suite for every store: the fake of the other tests, S3 as moto has it, and the embedded AWS."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chassis.aws.client import Aws
from chassis.errors import Unavailable
from deploy.embedded.emulator import Emulator
from services.files.adapters.s3 import S3ObjectStore
from services.files.ports import ObjectStore, StoredObject
from tests.services.files.fakes import BUCKET, FakeObjectStore

KEY = "org_acme/file_1/original"
MINUTE = timedelta(minutes=1)
REGION = "us-east-1"


@asynccontextmanager
async def s3_store(endpoint_url: str | None) -> AsyncIterator[S3ObjectStore]:
    bucket = f"bucket-{uuid4().hex}"
    client = boto3.client("s3", region_name=REGION, endpoint_url=endpoint_url)
    client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    aws = Aws(REGION, endpoint_url)
    try:
        yield S3ObjectStore(aws, bucket)
    finally:
        await aws.close()


@pytest.fixture
async def moto_store() -> AsyncIterator[S3ObjectStore]:
    with mock_aws():
        async with s3_store(None) as store:
            yield store


@pytest.fixture
async def embedded_store(emulator: Emulator) -> AsyncIterator[S3ObjectStore]:
    async with s3_store(emulator.endpoint_url) as store:
        yield store


@pytest.fixture(params=["fake", "moto", pytest.param("embedded", marks=pytest.mark.ministack)])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    if request.param == "fake":
        return FakeObjectStore()
    real_store: ObjectStore = request.getfixturevalue(f"{request.param}_store")
    return real_store


async def test_objects_and_their_versions(store: ObjectStore) -> None:
    assert await store.head(KEY, None) is None
    assert await store.read(KEY, None, max_bytes=10) is None
    await store.put(KEY, b"first", content_type="text/plain")
    first = await store.head(KEY, None)
    assert first is not None
    assert first.version is not None
    assert first == StoredObject(5, "text/plain", first.version)
    await store.put(KEY, b"the second", content_type="text/csv")
    second = await store.head(KEY, None)
    assert second is not None
    assert (second.size, second.content_type) == (10, "text/csv")
    assert await store.head(KEY, first.version) == first
    assert await store.read(KEY, first.version, max_bytes=100) == b"first"
    assert await store.read(KEY, None, max_bytes=3) == b"the"
    for _ in range(2):  # deleting again is fine
        await store.delete(KEY, second.version)
    assert await store.head(KEY, second.version) is None
    assert await store.read(KEY, second.version, max_bytes=10) is None
    assert await store.read(KEY, None, max_bytes=100) == b"first"
    await store.delete(KEY, first.version)
    assert await store.head(KEY, None) is None


@pytest.mark.ministack
async def test_the_store_takes_what_was_announced_and_nothing_else(embedded_store: S3ObjectStore) -> None:
    form = await embedded_store.presign_post(KEY, content_type="image/png", size=10, lifetime=MINUTE)
    async with httpx.AsyncClient() as client:

        async def upload(content: bytes, **changed: str) -> int:
            fields = {**form.fields, **changed}
            answer = await client.post(form.url, data=fields, files={"file": ("any", content, "text/html")})
            return answer.status_code

        assert await upload(b"") == 400
        assert await upload(b"x" * 9) == 400
        assert await upload(b"x" * 11) == 400
        assert await upload(b"x" * 10, **{"Content-Type": "text/html"}) == 403
        assert await upload(b"x" * 10, key="org_other/file_1/original") == 403
        assert await embedded_store.head(KEY, None) is None
        assert await upload(b"x" * 10) == 204
    stored = await embedded_store.head(KEY, None)
    assert stored is not None
    assert (stored.size, stored.content_type) == (10, "image/png")


@pytest.mark.ministack
async def test_an_address_gives_the_named_version_and_nothing_else(embedded_store: S3ObjectStore) -> None:
    await embedded_store.put(KEY, b"confirmed", content_type="text/plain")
    confirmed = await embedded_store.head(KEY, None)
    assert confirmed is not None
    await embedded_store.put(KEY, b"put over it", content_type="text/plain")
    url = await embedded_store.presign_get(
        KEY, version=confirmed.version, content_type="text/csv", disposition="attachment", lifetime=MINUTE
    )
    async with httpx.AsyncClient() as client:
        assert (await client.get(url)).content == b"confirmed"
        assert (await client.get(url.replace("file_1", "file_2"))).status_code == 403
        assert (await client.get(url.replace("attachment", "inline"))).status_code == 403


async def test_forms_and_addresses_name_the_region_and_carry_the_current_signature(credentials: None) -> None:
    aws = Aws("eu-west-1", None)
    store = S3ObjectStore(aws, BUCKET)
    form = await store.presign_post(KEY, content_type="image/png", size=10, lifetime=MINUTE)
    url = await store.presign_get(KEY, version="v1", content_type="a/b", disposition="inline", lifetime=MINUTE)
    await aws.close()
    assert form.url == f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/"
    assert form.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    assert url.startswith(f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/{KEY}?")
    assert "versionId=v1" in url
    assert "X-Amz-Expires=60" in url
    assert "response-content-type=a%2Fb&response-content-disposition=inline" in url


async def test_a_store_that_cannot_be_reached_is_tried_again(credentials: None, unused_tcp_port: int) -> None:
    aws = Aws(REGION, f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(Unavailable):
        await S3ObjectStore(aws, BUCKET).head(KEY, None)
    await aws.close()


class _Answering:
    """An Aws whose S3 answers with an error."""

    def __init__(self, code: str, status: int) -> None:
        answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        self._error = ClientError(answer, "HeadObject")  # type: ignore[arg-type]

    async def boto3(self, service: str, use: object) -> object:
        raise self._error


@pytest.mark.parametrize(("code", "status"), [("SlowDown", 503), ("InternalError", 500), ("RequestTimeout", 400)])
async def test_a_store_in_trouble_is_tried_again(code: str, status: int) -> None:
    with pytest.raises(Unavailable):
        await S3ObjectStore(_Answering(code, status), BUCKET).head(KEY, None)  # type: ignore[arg-type]


async def test_a_missing_permission_is_neither_absence_nor_trouble() -> None:
    with pytest.raises(ClientError):
        await S3ObjectStore(_Answering("403", 403), BUCKET).head(KEY, None)  # type: ignore[arg-type]

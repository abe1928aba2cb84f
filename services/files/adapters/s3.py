"""The object store on S3."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from chassis.aws.client import Aws
from chassis.errors import Unavailable
from services.files.ports import Form, StoredObject
from services.files.settings import FilesSettings

log = structlog.get_logger(__name__)

T = TypeVar("T")
ABSENT = frozenset({"404", "NoSuchKey", "NoSuchVersion"})
THROTTLED = frozenset({"SlowDown", "Throttling", "ThrottlingException", "RequestTimeout"})


class S3ObjectStore:
    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws, self._bucket = aws, bucket

    async def presign_post(self, key: str, *, content_type: str, size: int, lifetime: timedelta) -> Form:
        def use(client: Any) -> Form:
            form = client.generate_presigned_post(
                self._bucket,
                key,
                Fields={"Content-Type": content_type},
                Conditions=[{"Content-Type": content_type}, ["content-length-range", size, size]],
                ExpiresIn=int(lifetime.total_seconds()),
            )
            return Form(form["url"], form["fields"])

        return await self._aws.boto3_offline("s3", use)

    async def presign_get(
        self, key: str, *, version: str | None, content_type: str, disposition: str, lifetime: timedelta
    ) -> str:
        parameters = self._arguments(key, version) | {
            "ResponseContentType": content_type,
            "ResponseContentDisposition": disposition,
        }

        def use(client: Any) -> str:
            return str(
                client.generate_presigned_url(
                    "get_object", Params=parameters, ExpiresIn=int(lifetime.total_seconds()), HttpMethod="GET"
                )
            )

        return await self._aws.boto3_offline("s3", use)

    async def head(self, key: str, version: str | None) -> StoredObject | None:
        try:
            head = await self._call(lambda client: client.head_object(**self._arguments(key, version)))
        except _Missing:
            return None
        return StoredObject(head["ContentLength"], head.get("ContentType", ""), head.get("VersionId"))

    async def read(self, key: str, version: str | None, *, max_bytes: int) -> bytes | None:
        def use(client: Any) -> bytes:
            answer = client.get_object(**self._arguments(key, version), Range=f"bytes=0-{max_bytes - 1}")
            with answer["Body"] as body:
                content: bytes = body.read(max_bytes)
            return content

        try:
            return await self._call(use)
        except _Missing:
            return None

    async def put(self, key: str, body: bytes, *, content_type: str) -> None:
        await self._call(
            lambda client: client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)
        )

    async def delete(self, key: str, version: str | None) -> None:
        await self._call(lambda client: client.delete_object(**self._arguments(key, version)))

    def _arguments(self, key: str, version: str | None) -> dict[str, Any]:
        arguments = {"Bucket": self._bucket, "Key": key}
        return arguments if version is None else {**arguments, "VersionId": version}

    async def _call(self, use: Callable[[Any], T]) -> T:
        try:
            return await self._aws.boto3("s3", use)
        except ClientError as error:
            code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
            if code in ABSENT:
                raise _Missing from None
            if status >= 500 or code in THROTTLED:
                log.warning("store_failed", operation=error.operation_name, code=code)
                raise Unavailable("The store of files does not answer.") from error
            raise
        except BotoCoreError as error:
            log.warning("store_unreachable", reason=str(error))
            raise Unavailable("The store of files can't be reached.") from error


class _Missing(Exception):
    """There is no such object."""


def make_object_store(aws: Aws) -> S3ObjectStore:
    return S3ObjectStore(aws, FilesSettings().files_bucket)

"""Packages in S3, under the hash of their contents: the same package is uploaded once, and none is ever replaced."""

import hashlib
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.errors import StackError


def upload(aws: Aws, bucket: str, service: str, package: Path) -> str:
    """Put `package` into `bucket` unless it is there, and return its key. Raises StackError."""
    data = package.read_bytes()
    key = f"{service}/{hashlib.sha256(data).hexdigest()}.zip"
    s3 = aws.client("s3")
    try:
        try:
            s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            s3.put_object(Bucket=bucket, Key=key, Body=data)
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"cannot upload the package of {service} to {bucket}: {error}") from error
    return key


def forget_others(aws: Aws, bucket: str, service: str, key: str) -> None:
    """Delete the packages of `service` except `key`: for the embedded AWS, which uses the developer's disk and would
    keep one per change of code. Raises StackError."""
    s3 = aws.client("s3")
    try:
        packages = s3.list_objects_v2(Bucket=bucket, Prefix=f"{service}/").get("Contents", [])
        for other in [each["Key"] for each in packages if each["Key"] != key]:
            s3.delete_object(Bucket=bucket, Key=other)
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"cannot delete old packages of {service} from {bucket}: {error}") from error


def remove_bucket(aws: Aws, bucket: str) -> None:
    """Delete the bucket with all its objects and their older versions; fine if it is gone. Raises StackError."""
    s3 = aws.client("s3")
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for version in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
        s3.delete_bucket(Bucket=bucket)
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] in {"NoSuchBucket", "404"}:
            return
        raise StackError(f"cannot delete the bucket {bucket}: {error}") from error

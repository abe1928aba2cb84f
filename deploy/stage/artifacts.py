"""Packages in S3, under the hash of what they hold: the same package is uploaded once, and none is ever replaced."""

import hashlib
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from deploy.stage.aws import Aws
from deploy.stage.errors import StackError


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
    """Delete the packages of `service` but for `key`: for the embedded AWS, whose disk is the developer's and which
    would keep one for each change of code. Raises StackError."""
    s3 = aws.client("s3")
    try:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=f"{service}/").get("Contents", [])
        for other in [one["Key"] for one in found if one["Key"] != key]:
            s3.delete_object(Bucket=bucket, Key=other)
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"cannot delete old packages of {service} from {bucket}: {error}") from error


def remove_bucket(aws: Aws, bucket: str) -> None:
    """Delete the bucket with all that it holds, older versions too; fine if it is gone. Raises StackError."""
    s3 = aws.client("s3")
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for one in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
        s3.delete_bucket(Bucket=bucket)
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] in {"NoSuchBucket", "404"}:
            return
        raise StackError(f"cannot delete the bucket {bucket}: {error}") from error

"""Takes a whole stage away with all that it holds: for stages that were made to be thrown away, after a test."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chassis.names import PRODUCTION
from deploy.artifacts import remove_bucket
from deploy.aws import Aws
from deploy.errors import DeployError, RefusedError, StackError
from deploy.place import Place
from deploy.stage import in_order, synthesize
from deploy.template.shared import STACK

GONE = frozenset({"ResourceNotFoundException", "NoSuchBucket", "NotFoundException", "404", "KMSInvalidStateException"})
KEY_DAYS = 7
"""KMS deletes no key sooner."""


def remove_stage(place: Place) -> list[str]:
    """Delete the stage's stacks, then what their templates retain: tables, buckets, user pools, keys. Goes on after
    what fails, and returns it, one line each. Raises RefusedError for prod, StackError if the stacks cannot be read."""
    names, stacks = place.target.names, place.stacks
    if names.stage == PRODUCTION:
        raise RefusedError(f"the stage {PRODUCTION} is not one to be thrown away")
    there = stacks.names(f"{names.prefix}-")
    held = [one for stack in there for one in _resources(place.aws, stack)]
    failed: list[str] = []
    owners, others = in_order(synthesize(place.target))
    for stack in (names.stack(name) for name in (*others, *owners, STACK)):
        if stack in there:
            failed += _tried(partial(stacks.delete, stack))
    for kind, physical_id in held:
        if kind in REMOVERS:
            failed += _tried(partial(REMOVERS[kind], place.aws, physical_id))
    return failed


def _tried(act: Callable[[], None]) -> list[str]:
    try:
        act()
    except (ClientError, BotoCoreError, DeployError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] in GONE:
            return []
        return [str(error)]
    return []


def _resources(aws: Aws, stack: str) -> Iterable[tuple[str, str]]:
    try:
        pages = aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        found: list[dict[str, Any]] = [one for page in pages for one in page["StackResourceSummaries"]]
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"cannot read the resources of {stack}: {error}") from error
    return [(one["ResourceType"], one["PhysicalResourceId"]) for one in found if one.get("PhysicalResourceId")]


def _table(aws: Aws, name: str) -> None:
    dynamodb = aws.client("dynamodb")
    if dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
        dynamodb.get_waiter("table_exists").wait(TableName=name)
    dynamodb.delete_table(TableName=name)


def _bucket(aws: Aws, name: str) -> None:
    s3 = aws.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        for one in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            s3.delete_object(Bucket=name, Key=one["Key"], VersionId=one["VersionId"])
    remove_bucket(aws, name)


def _pool(aws: Aws, pool_id: str) -> None:
    cognito = aws.client("cognito-idp")
    if cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"].get("DeletionProtection") == "ACTIVE":
        cognito.update_user_pool(UserPoolId=pool_id, DeletionProtection="INACTIVE")
    cognito.delete_user_pool(UserPoolId=pool_id)


def _key(aws: Aws, key_id: str) -> None:
    aws.client("kms").schedule_key_deletion(KeyId=key_id, PendingWindowInDays=KEY_DAYS)


REMOVERS: dict[str, Callable[[Aws, str], None]] = {
    "AWS::Cognito::UserPool": _pool,
    "AWS::DynamoDB::Table": _table,
    "AWS::KMS::Key": _key,
    "AWS::S3::Bucket": _bucket,
}

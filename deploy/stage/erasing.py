"""Erases the retained stores of a destroyed stage: its tables, files, users and keys."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deploy.stage.artifacts import remove_bucket
from deploy.stage.aws import Aws
from deploy.stage.errors import RefusedError, StackError
from deploy.stage.stacks import Stacks

KEY_DAYS = 7
"""The shortest time after which KMS deletes a key: until then the deletion can be cancelled."""
ABSENT = ("NotFound", "NoSuch", "404")


@dataclass(frozen=True)
class RetainedStore:
    """A resource that outlives its stack, by CloudFormation's type and physical id."""

    kind: str
    name: str


def retained_by(stacks: Stacks, stack: str) -> list[RetainedStore]:
    """The stores that `stack` would leave behind. Raises StackError; RefusedError for a kind that cannot be erased."""
    stores = [RetainedStore(kind, name) for kind, name in stacks.retained_resources(stack)]
    unknown = ", ".join(f"{store.kind} {store.name}" for store in stores if store.kind not in _ERASERS)
    if unknown:
        raise RefusedError(f"{stack} keeps {unknown}, which WITH_DATA=1 cannot erase; nothing was changed")
    return stores


def erase(aws: Aws, store: RetainedStore) -> None:
    """Delete a store with everything in it, for good; fine if it is gone. Raises StackError."""
    try:
        _ERASERS[store.kind](aws, store.name)
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and any(part in error.response["Error"]["Code"] for part in ABSENT):
            return
        raise StackError(f"cannot erase {store.kind} {store.name}: {error}") from error


def _erase_table(aws: Aws, name: str) -> None:
    dynamodb: Any = aws.client("dynamodb")
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 60})
    dynamodb.delete_table(TableName=name)


def _erase_user_pool(aws: Aws, pool: str) -> None:
    aws.client("cognito-idp").update_user_pool(UserPoolId=pool, DeletionProtection="INACTIVE")
    aws.client("cognito-idp").delete_user_pool(UserPoolId=pool)


_ERASERS: dict[str, Callable[[Aws, str], None]] = {
    "AWS::Cognito::UserPool": _erase_user_pool,
    "AWS::DynamoDB::Table": _erase_table,
    "AWS::Events::Archive": lambda aws, name: aws.client("events").delete_archive(ArchiveName=name),
    "AWS::KMS::Key": lambda aws, key: aws.client("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=KEY_DAYS),
    "AWS::S3::Bucket": remove_bucket,
    "AWS::SecretsManager::Secret": lambda aws, name: aws.client("secretsmanager").delete_secret(
        SecretId=name, ForceDeleteWithoutRecovery=True
    ),
}

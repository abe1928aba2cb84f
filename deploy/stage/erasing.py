"""What a destroyed stage keeps, its tables, files, users and keys, and how even that is erased."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deploy.stage.artifacts import remove_bucket
from deploy.stage.aws import Aws
from deploy.stage.errors import RefusedError, StackError
from deploy.stage.stacks import Stacks

KEY_DAYS = 7
"""How long KMS waits at least before a key is gone: the time to think better of it."""
ABSENT = ("NotFound", "NoSuch", "404")


@dataclass(frozen=True)
class RetainedStore:
    """A resource that outlives its stack, by CloudFormation's type and physical id."""

    kind: str
    name: str


def kept_by(stacks: Stacks, stack: str) -> list[RetainedStore]:
    """What `stack` would leave behind. Raises StackError; RefusedError for a kind that nobody here can erase."""
    found = [RetainedStore(kind, name) for kind, name in stacks.retained(stack)]
    unknown = [one for one in found if one.kind not in _ERASERS]
    if unknown:
        named = ", ".join(f"{one.kind} {one.name}" for one in unknown)
        raise RefusedError(f"{stack} keeps {named}, which WITH_DATA=1 cannot erase; nothing was changed")
    return found


def erase(aws: Aws, kept: RetainedStore) -> None:
    """Delete it with all that it holds, for good; fine if it is gone. Raises StackError."""
    try:
        _ERASERS[kept.kind](aws, kept.name)
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and any(part in error.response["Error"]["Code"] for part in ABSENT):
            return
        raise StackError(f"cannot erase {kept.kind} {kept.name}: {error}") from error


def _table(aws: Aws, name: str) -> None:
    dynamodb: Any = aws.client("dynamodb")
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 60})
    dynamodb.delete_table(TableName=name)


def _user_pool(aws: Aws, pool: str) -> None:
    aws.client("cognito-idp").update_user_pool(UserPoolId=pool, DeletionProtection="INACTIVE")
    aws.client("cognito-idp").delete_user_pool(UserPoolId=pool)


def _key(aws: Aws, key: str) -> None:
    aws.client("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=KEY_DAYS)


def _archive(aws: Aws, name: str) -> None:
    aws.client("events").delete_archive(ArchiveName=name)


def _secret(aws: Aws, name: str) -> None:
    aws.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


_ERASERS: dict[str, Callable[[Aws, str], None]] = {
    "AWS::Cognito::UserPool": _user_pool,
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::Archive": _archive,
    "AWS::KMS::Key": _key,
    "AWS::S3::Bucket": remove_bucket,
    "AWS::SecretsManager::Secret": _secret,
}

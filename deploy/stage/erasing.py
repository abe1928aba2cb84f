"""Erases the retained stores of a destroyed stage: its tables, files, users and keys."""

from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.errors import RefusedError, StackError
from deploy.stage.artifacts import remove_bucket
from deploy.stage.stacks import Stacks

KEY_DAYS = 7
"""The shortest time after which KMS deletes a key: until then the deletion can be cancelled."""
ERASABLE = {
    "AWS::Cognito::UserPool",
    "AWS::DynamoDB::Table",
    "AWS::Events::Archive",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
}
ABSENT = ("NotFound", "NoSuch", "404")


@dataclass(frozen=True)
class RetainedStore:
    """A resource that outlives its stack, by CloudFormation's type and physical id."""

    kind: str
    name: str


def retained_by(stacks: Stacks, stack: str) -> list[RetainedStore]:
    """The stores that `stack` would leave behind. Raises StackError; RefusedError for a kind that cannot be erased."""
    stores = [RetainedStore(kind, name) for kind, name in stacks.retained_resources(stack)]
    unknown = ", ".join(f"{store.kind} {store.name}" for store in stores if store.kind not in ERASABLE)
    if unknown:
        raise RefusedError(f"{stack} keeps {unknown}, which WITH_DATA=1 cannot erase; nothing was changed")
    return stores


def erase(aws: Aws, store: RetainedStore) -> None:
    """Delete a store with everything in it, for good; fine if it is gone. Raises StackError."""
    name = store.name
    try:
        match store.kind:
            case "AWS::Cognito::UserPool":
                aws.client("cognito-idp").update_user_pool(UserPoolId=name, DeletionProtection="INACTIVE")
                aws.client("cognito-idp").delete_user_pool(UserPoolId=name)
            case "AWS::DynamoDB::Table":
                dynamodb = aws.client("dynamodb")
                dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
                dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 60})
                dynamodb.delete_table(TableName=name)
            case "AWS::Events::Archive":
                aws.client("events").delete_archive(ArchiveName=name)
            case "AWS::KMS::Key":
                aws.client("kms").schedule_key_deletion(KeyId=name, PendingWindowInDays=KEY_DAYS)
            case "AWS::S3::Bucket":
                remove_bucket(aws, name)
            case "AWS::SecretsManager::Secret":
                aws.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and any(part in error.response["Error"]["Code"] for part in ABSENT):
            return
        raise StackError(f"cannot erase {store.kind} {name}: {error}") from error

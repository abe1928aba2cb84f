"""Attempts on resources of each type: those that the owning service must be allowed, and those that nobody may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

KEY = {"PK": {"S": "ORG#org_1#PROBE#1"}, "SK": {"S": "PROBE"}}
TABLE, QUEUE, BUCKET, VAULT_KEY = "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::S3::Bucket", "AWS::KMS::Key"
POOL, PARAMETER, BUS = "AWS::Cognito::UserPool", "AWS::SSM::Parameter", "AWS::Events::EventBus"
SECRET, SENDER = "AWS::SecretsManager::Secret", "AWS::SES::EmailIdentity"
CONTEXT = {"tenfold:org": "org_1", "tenfold:purpose": "probe"}
Use = Callable[[Any, str], Any]


@dataclass(frozen=True)
class Attempt:
    """One call to a resource. `use` gets a client of `service` and the physical id of the resource.

    `own` says whether the service that owns the resource is allowed to make the call.
    """

    name: str
    service: str
    use: Use
    own: bool = False


def _query(client: Any, table: str, **more: Any) -> Any:
    prefix = "L1" if more else ""
    return client.query(
        TableName=table, KeyConditionExpression=f"{prefix}PK = :p", ExpressionAttributeValues={":p": KEY["PK"]}, **more
    )


def _call_queue(client: Any, url: str, call: str, **more: Any) -> Any:
    return getattr(client, call)(QueueUrl=url, **more)


_TABLE = (
    Attempt("read", "dynamodb", lambda c, t: c.get_item(TableName=t, Key=KEY), own=True),
    Attempt("write", "dynamodb", lambda c, t: c.put_item(TableName=t, Item=KEY), own=True),
    Attempt("query", "dynamodb", _query, own=True),
    Attempt(
        "write in a transaction",
        "dynamodb",
        lambda c, t: c.transact_write_items(TransactItems=[{"Put": {"TableName": t, "Item": KEY}}]),
        own=True,
    ),
    Attempt("delete", "dynamodb", lambda c, t: c.delete_item(TableName=t, Key=KEY), own=True),
    Attempt("read many", "dynamodb", lambda c, t: c.batch_get_item(RequestItems={t: {"Keys": [KEY]}}), own=True),
    Attempt("scan", "dynamodb", lambda c, t: c.scan(TableName=t)),
    Attempt("select", "dynamodb", lambda c, t: c.execute_statement(Statement=f'SELECT * FROM "{t}"')),
    Attempt("query an index that does not exist", "dynamodb", lambda c, t: _query(c, f"{t}x", IndexName="list1")),
    Attempt("delete the table", "dynamodb", lambda c, t: c.delete_table(TableName=t)),
)
INDEXED = Attempt("query an index", "dynamodb", lambda c, t: _query(c, t, IndexName="list1"), own=True)
"""Attempt on a table with a GSI."""
_QUEUE = (
    Attempt("receive", "sqs", lambda c, q: _call_queue(c, q, "receive_message", WaitTimeSeconds=0), own=True),
    Attempt(
        "acknowledge",
        "sqs",
        lambda c, q: _call_queue(c, q, "delete_message_batch", Entries=[{"Id": "1", "ReceiptHandle": "none"}]),
        own=True,
    ),
    Attempt("send", "sqs", lambda c, q: _call_queue(c, q, "send_message", MessageBody="forged")),
    Attempt("purge", "sqs", lambda c, q: _call_queue(c, q, "purge_queue")),
    Attempt("delete", "sqs", lambda c, q: _call_queue(c, q, "delete_queue")),
)
DEAD_LETTERS = (
    Attempt("send", "sqs", lambda c, q: _call_queue(c, q, "send_message", MessageBody="refused"), own=True),
    Attempt("receive", "sqs", lambda c, q: _call_queue(c, q, "receive_message", WaitTimeSeconds=0)),
    Attempt("delete", "sqs", lambda c, q: _call_queue(c, q, "delete_queue")),
)
_BUCKET = (
    Attempt("put", "s3", lambda c, b: c.put_object(Bucket=b, Key="org_1/probe", Body=b"x"), own=True),
    Attempt("get", "s3", lambda c, b: c.get_object(Bucket=b, Key="org_1/probe"), own=True),
    Attempt("list", "s3", lambda c, b: c.list_objects_v2(Bucket=b), own=True),
    Attempt("delete", "s3", lambda c, b: c.delete_object(Bucket=b, Key="org_1/probe")),
    Attempt("open to all", "s3", lambda c, b: c.put_bucket_policy(Bucket=b, Policy="{}")),
)
_VAULT = (
    Attempt(
        "make a data key",
        "kms",
        lambda c, k: c.generate_data_key(KeyId=k, KeySpec="AES_256", EncryptionContext=CONTEXT),
        own=True,
    ),
    Attempt("forget", "kms", lambda c, k: c.schedule_key_deletion(KeyId=k)),
)
_POOL = (
    Attempt("find a user", "cognito-idp", lambda c, p: c.admin_get_user(UserPoolId=p, Username="nobody"), own=True),
    Attempt("list users", "cognito-idp", lambda c, p: c.list_users(UserPoolId=p)),
    Attempt(
        "set a password",
        "cognito-idp",
        lambda c, p: c.admin_set_user_password(UserPoolId=p, Username="nobody", Password="Passw0rd!x"),
    ),
)
_PARAMETER = (Attempt("change", "ssm", lambda c, n: c.put_parameter(Name=n, Value="x", Overwrite=True)),)
_BUS = (
    Attempt("delete", "events", lambda c, b: c.delete_event_bus(Name=b)),
    Attempt("listen", "events", lambda c, b: c.put_rule(Name="spy", EventBusName=b, EventPattern='{"source":["a"]}')),
)
_SECRET = (
    Attempt("read", "secretsmanager", lambda c, s: c.get_secret_value(SecretId=s), own=True),
    Attempt("change", "secretsmanager", lambda c, s: c.put_secret_value(SecretId=s, SecretString="x")),
)
_SENDER = (Attempt("delete", "sesv2", lambda c, s: c.delete_email_identity(EmailIdentity=s)),)
ATTEMPTS: Mapping[str, tuple[Attempt, ...]] = {
    TABLE: _TABLE,
    QUEUE: _QUEUE,
    BUCKET: _BUCKET,
    VAULT_KEY: _VAULT,
    POOL: _POOL,
    PARAMETER: _PARAMETER,
    BUS: _BUS,
    SECRET: _SECRET,
    SENDER: _SENDER,
}

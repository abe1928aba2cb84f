"""One suite for AwsJson and BotoThreads, against the emulator."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from awsjson import (
    AwsError,
    AwsJson,
    BotoThreads,
    Client,
    ConditionFailed,
    Config,
    ConfigurationError,
    ConnectionFailed,
    DeadlineExceeded,
    TransactionCancelled,
)
from awsjson_suite.emulator import free_port
from awsjson_suite.stubs import KEYS, CannedAws, failing, silent

pytestmark = pytest.mark.ministack
BACKENDS = {"awsjson": AwsJson, "boto3": BotoThreads}
SCHEMA = {
    "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
ONCE = {"ConditionExpression": "attribute_not_exists(PK)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Any:
    return BACKENDS[request.param]


@pytest.fixture
async def real(backend: Any, ministack: str) -> AsyncIterator[Client]:
    async with backend(region="eu-central-1", endpoint_url=ministack, credentials=KEYS) as client:
        yield client


@pytest.fixture
async def table(real: Client) -> AsyncIterator[str]:
    name = f"t{uuid4().hex[:8]}"
    await real.call("dynamodb", "CreateTable", {"TableName": name, **SCHEMA})
    yield name
    await real.call("dynamodb", "DeleteTable", {"TableName": name})


@pytest.fixture
async def queue(real: Client) -> AsyncIterator[str]:
    url = (await real.call("sqs", "CreateQueue", {"QueueName": f"q{uuid4().hex[:8]}"}))["QueueUrl"]
    yield url
    await real.call("sqs", "DeleteQueue", {"QueueUrl": url})


async def test_items_come_back_as_they_went(real: Client, table: str) -> None:
    item = {"PK": {"S": "ä🙂"}, "b": {"B": bytes(range(256))}, "l": {"L": [{"BS": [b"a"]}, {"N": "1.5"}]}}
    assert await real.call("dynamodb", "PutItem", {"TableName": table, "Item": item}) == {}
    answer = await real.call("dynamodb", "GetItem", {"TableName": table, "Key": {"PK": {"S": "ä🙂"}}})
    assert answer == {"Item": item}
    assert await real.call("dynamodb", "GetItem", {"TableName": table, "Key": {"PK": {"S": "b"}}}) == {}
    described = (await real.call("dynamodb", "DescribeTable", {"TableName": table}))["Table"]
    assert isinstance(described["CreationDateTime"], datetime)
    assert described["CreationDateTime"].tzinfo is not None


async def test_a_condition_that_fails_shows_the_old_item(real: Client, table: str) -> None:
    old = {"PK": {"S": "once"}, "b": {"B": b"\x00\xff"}}
    await real.call("dynamodb", "PutItem", {"TableName": table, "Item": old, **ONCE})
    with pytest.raises(ConditionFailed) as caught:
        await real.call("dynamodb", "PutItem", {"TableName": table, "Item": {"PK": {"S": "once"}}, **ONCE})
    assert caught.value.item == old
    assert (caught.value.status, caught.value.service, caught.value.operation) == (400, "dynamodb", "PutItem")
    assert not caught.value.is_retryable
    assert not caught.value.outcome_unknown


async def test_a_cancelled_transaction_has_a_reason_per_action(real: Client, table: str) -> None:
    old = {"PK": {"S": "once"}, "b": {"B": b"\x00\xff"}}
    await real.call("dynamodb", "PutItem", {"TableName": table, "Item": old})
    actions = [
        {"Put": {"TableName": table, "Item": {"PK": {"S": "other"}}}},
        {"Put": {"TableName": table, "Item": {"PK": {"S": "once"}}, **ONCE}},
    ]
    with pytest.raises(TransactionCancelled) as caught:
        await real.call("dynamodb", "TransactWriteItems", {"TransactItems": actions})
    first, second = caught.value.reasons
    assert (first.code, second.code) == ("None", "ConditionalCheckFailed")
    assert second.item == old
    assert caught.value.condition_failed
    assert not caught.value.conflict
    left = await real.call("dynamodb", "GetItem", {"TableName": table, "Key": {"PK": {"S": "other"}}})
    assert left == {}


async def test_a_transaction_with_a_token_happens_once(real: Client, table: str) -> None:
    add = {
        "TableName": table,
        "Key": {"PK": {"S": "count"}},
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    params = {"TransactItems": [{"Update": add}], "ClientRequestToken": uuid4().hex}
    for _ in range(3):
        await real.call("dynamodb", "TransactWriteItems", params)
    answer = await real.call("dynamodb", "GetItem", {"TableName": table, "Key": add["Key"]})
    assert answer["Item"]["n"] == {"N": "1"}


async def test_messages_with_attributes(real: Client, queue: str) -> None:
    attributes = {
        "s": {"DataType": "String", "StringValue": "ä"},
        "b": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    await real.call("sqs", "SendMessage", {"QueueUrl": queue, "MessageBody": "ä🙂", "MessageAttributes": attributes})
    receive = {"QueueUrl": queue, "MessageAttributeNames": ["All"], "WaitTimeSeconds": 1}
    (message,) = (await real.call("sqs", "ReceiveMessage", receive))["Messages"]
    assert (message["Body"], message["MessageAttributes"]) == ("ä🙂", attributes)
    entries = [{"Id": "0", "ReceiptHandle": message["ReceiptHandle"]}]
    done = await real.call("sqs", "DeleteMessageBatch", {"QueueUrl": queue, "Entries": entries})
    assert [entry["Id"] for entry in done["Successful"]] == ["0"]


async def test_a_queue_that_is_not_there(real: Client) -> None:
    with pytest.raises(AwsError) as caught:
        await real.call("sqs", "GetQueueUrl", {"QueueName": "nowhere"})
    assert caught.value.code == "QueueDoesNotExist"
    assert not caught.value.is_retryable


async def test_the_other_services(real: Client) -> None:
    key = (await real.call("kms", "CreateKey", {}))["KeyMetadata"]["KeyId"]
    sealed = await real.call("kms", "Encrypt", {"KeyId": key, "Plaintext": b"\x00secret"})
    opened = await real.call("kms", "Decrypt", {"CiphertextBlob": sealed["CiphertextBlob"]})
    assert opened["Plaintext"] == b"\x00secret"
    name = f"/{uuid4().hex[:8]}"
    await real.call("ssm", "PutParameter", {"Name": name, "Value": "1", "Type": "String"})
    assert (await real.call("ssm", "GetParameter", {"Name": name}))["Parameter"]["Value"] == "1"
    events = {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]}
    assert (await real.call("events", "PutEvents", events))["FailedEntryCount"] == 0
    secret = uuid4().hex[:8]
    await real.call("secretsmanager", "CreateSecret", {"Name": secret, "SecretBinary": b"\x01"})
    assert (await real.call("secretsmanager", "GetSecretValue", {"SecretId": secret}))["SecretBinary"] == b"\x01"
    assert "UserPool" in await real.call("cognito-idp", "CreateUserPool", {"PoolName": "p"})


async def test_many_calls_at_once(real: Client, table: str) -> None:
    puts = [{"TableName": table, "Item": {"PK": {"S": str(number)}}} for number in range(60)]
    await asyncio.gather(*[real.call("dynamodb", "PutItem", put) for put in puts])
    assert (await real.call("dynamodb", "Scan", {"TableName": table}))["Count"] == 60


async def test_an_operation_that_is_not_there(real: Client) -> None:
    with pytest.raises(ConfigurationError, match="operation"):
        await real.call("dynamodb", "PutIten", {})


async def test_a_service_that_is_not_there(real: Client) -> None:
    with pytest.raises(ConfigurationError):
        await real.call("dynamodbb", "PutItem", {})


async def test_a_server_that_is_not_there(backend: Any) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with backend(region="eu-central-1", endpoint_url=url, credentials=KEYS) as client:
        with pytest.raises(ConnectionFailed) as caught:
            await client.call("sqs", "ListQueues", {}, retry_unknown=False)
    assert not caught.value.outcome_unknown
    assert caught.value.is_retryable


async def test_a_deadline(backend: Any, aws: CannedAws) -> None:
    aws.answers = [silent(0.6)]
    async with backend(region="eu-central-1", endpoint_url=aws.url, credentials=KEYS) as client:
        await client.open("sqs")
        with pytest.raises(DeadlineExceeded) as caught:
            await client.call("sqs", "ListQueues", {}, timeout=0.2)
    assert caught.value.outcome_unknown


async def test_throttling_is_retried_and_then_raised(backend: Any, aws: CannedAws) -> None:
    aws.answers = [failing(400, "RequestThrottled")] * 2
    limits = {"config": Config(max_attempts=2)} if backend is AwsJson else {"max_attempts": 2}
    async with backend(region="eu-central-1", endpoint_url=aws.url, credentials=KEYS, **limits) as client:
        with pytest.raises(AwsError) as caught:
            await client.call("sqs", "ListQueues", {})
    assert (caught.value.code, caught.value.is_retryable) == ("RequestThrottled", True)
    assert len(aws.requests) == 2

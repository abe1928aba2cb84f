"""Real calls against the emulator."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from awsjson import AwsError, AwsJson, ConditionFailed, TransactionCancelled
from awsjson_suite.stubs import KEYS

pytestmark = pytest.mark.ministack

TABLE = {
    "TableName": "things",
    "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


@pytest.fixture
async def real(ministack: str) -> AsyncIterator[AwsJson]:
    async with AwsJson(region="eu-central-1", endpoint_url=ministack, credentials=KEYS) as client:
        yield client


@pytest.fixture
async def table(real: AwsJson) -> AsyncIterator[str]:
    await real.call("dynamodb", "CreateTable", TABLE)
    yield "things"
    await real.call("dynamodb", "DeleteTable", {"TableName": "things"})


async def test_items_come_back_as_they_went(real: AwsJson, table: str) -> None:
    item = {"PK": {"S": "ä🙂"}, "b": {"B": bytes(range(256))}, "l": {"L": [{"BS": [b"a"]}, {"N": "1.5"}]}}
    await real.call("dynamodb", "PutItem", {"TableName": table, "Item": item})
    found = await real.call("dynamodb", "GetItem", {"TableName": table, "Key": {"PK": {"S": "ä🙂"}}})
    assert found["Item"] == item


async def test_conditions_and_transactions(real: AwsJson, table: str) -> None:
    put: dict[str, Any] = {
        "TableName": table,
        "Item": {"PK": {"S": "once"}},
        "ConditionExpression": "attribute_not_exists(PK)",
    }
    await real.call("dynamodb", "PutItem", put)
    with pytest.raises(ConditionFailed):
        await real.call("dynamodb", "PutItem", put)
    other = {"Put": {"TableName": table, "Item": {"PK": {"S": "other"}}}}
    with pytest.raises(TransactionCancelled) as caught:
        await real.call("dynamodb", "TransactWriteItems", {"TransactItems": [other, {"Put": put}]})
    assert [reason.code for reason in caught.value.reasons] == ["None", "ConditionalCheckFailed"]
    token = {"TransactItems": [other], "ClientRequestToken": "the-same"}
    await real.call("dynamodb", "TransactWriteItems", token)
    await real.call("dynamodb", "TransactWriteItems", token)


async def test_the_other_services(real: AwsJson) -> None:
    key = (await real.call("kms", "CreateKey", {}))["KeyMetadata"]["KeyId"]
    sealed = await real.call("kms", "Encrypt", {"KeyId": key, "Plaintext": b"\x00secret"})
    assert isinstance(sealed["CiphertextBlob"], bytes)
    opened = await real.call("kms", "Decrypt", {"CiphertextBlob": sealed["CiphertextBlob"]})
    assert opened["Plaintext"] == b"\x00secret"
    await real.call("ssm", "PutParameter", {"Name": "/a", "Value": "1", "Type": "String"})
    assert (await real.call("ssm", "GetParameter", {"Name": "/a"}))["Parameter"]["Value"] == "1"
    events = {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]}
    assert (await real.call("events", "PutEvents", events))["FailedEntryCount"] == 0
    await real.call("cognito-idp", "CreateUserPool", {"PoolName": "p"})
    await real.call("secretsmanager", "CreateSecret", {"Name": "s", "SecretBinary": b"\x01"})
    assert (await real.call("secretsmanager", "GetSecretValue", {"SecretId": "s"}))["SecretBinary"] == b"\x01"


async def test_a_queue_that_is_not_there(real: AwsJson) -> None:
    with pytest.raises(AwsError) as caught:
        await real.call("sqs", "GetQueueUrl", {"QueueName": "nowhere"})
    assert caught.value.code == "QueueDoesNotExist"
    assert not caught.value.is_retryable

"""The backends of tables on which the conformance suite runs."""

import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

from awsjson import AwsError, AwsJson, CancellationReason, ConditionFailed, StaticCredentials, TransactionCancelled
from chassis.aws.client import AwsCalls
from chassis.aws.dynamodb import DynamoTable
from chassis.declare.resource_names import index_name
from chassis.storage.rate_limit_store import RateLimitStore
from chassis.storage.table import Table

INDEXES = 2


class Store(Table, RateLimitStore, Protocol):
    """A backend: a table, and the counters of rate limits."""


REGION = "us-east-1"
_numbers = itertools.count(1)
_session = boto3.session.Session(
    aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION
)  # one for all tests: creating it is the slow part of a client


class Boto3Calls:
    """AwsCalls with a boto3 client, on the caller's thread: moto works on one thread only."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]:
        assert service == "dynamodb"
        try:
            answer: dict[str, Any] = self._client._make_api_call(operation, dict(params))
        except ClientError as error:
            raise _convert(error.response) from error
        else:
            return answer


def _convert(response: Any) -> AwsError:
    code, message = response["Error"]["Code"], response["Error"].get("Message", "")
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    if code == "TransactionCanceledException":
        reasons = tuple(
            CancellationReason(each.get("Code") or "None", each.get("Message") or "")
            for each in response["CancellationReasons"]
        )
        return TransactionCancelled(code, message, reasons=reasons, status=status)
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(code, message, item=response.get("Item"), status=status)
    return AwsError(code, message, status=status)


@asynccontextmanager
async def moto_table() -> AsyncIterator[DynamoTable]:
    with mock_aws():
        yield await _create(Boto3Calls(_session.client("dynamodb")))


@asynccontextmanager
async def ministack_table(endpoint_url: str) -> AsyncIterator[DynamoTable]:
    keys = StaticCredentials("test", "test")
    async with AwsJson(region=REGION, endpoint_url=endpoint_url, credentials=keys) as calls:
        yield await _create(calls)


async def _create(calls: AwsCalls) -> DynamoTable:
    name = f"things-{next(_numbers)}"
    await calls.call("dynamodb", "CreateTable", description(name))
    return DynamoTable(calls, name)


def description(name: str) -> dict[str, Any]:
    keys = [("PK", "SK"), *((f"L{n}PK", f"L{n}SK") for n in range(1, INDEXES + 1))]
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for pair in keys for key in pair],
        "KeySchema": _schema(*keys[0]),
        "GlobalSecondaryIndexes": [
            {"IndexName": index_name(n), "KeySchema": _schema(*keys[n]), "Projection": {"ProjectionType": "ALL"}}
            for n in range(1, INDEXES + 1)
        ],
    }


def _schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]

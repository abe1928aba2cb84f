"""Section of the CPU per call of DynamoDB with many calls at once: awsjson against boto3 in an executor."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import process_time
from typing import Any
from uuid import uuid4

from bench.figures import Report, Samples
from bench.processes import answer_of, child, variables_for
from bench.queues import REGION

Call = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
OPERATIONS = ("put", "get", "query of 20", "transaction of 3")
CALLS, AT_ONCE, THREADS = 400, 32, 16
METHODS = {
    "CreateTable": "create_table",
    "PutItem": "put_item",
    "GetItem": "get_item",
    "Query": "query",
    "TransactWriteItems": "transact_write_items",
}
TABLE = {
    "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")],
    "BillingMode": "PAY_PER_REQUEST",
}


def item(key: str, sort: str = "A") -> dict[str, Any]:
    return {
        "PK": {"S": key},
        "SK": {"S": sort},
        "title": {"S": "x" * 60},
        "org": {"S": "019a4c5e-0000-7c3a-9f0e-5d1c2b3a4f5e"},
        "version": {"N": "5"},
        "created": {"S": "2026-11-21T03:00:00Z"},
        "tags": {"L": [{"S": "a"}, {"S": "b"}]},
        "meta": {"M": {"a": {"S": "1"}, "b": {"N": "2"}}},
    }


def request(operation: str, table: str, run: str, number: int) -> tuple[str, dict[str, Any]]:
    """Name and parameters of the `number`th call of an operation."""
    new = {"TableName": table, "ConditionExpression": "attribute_not_exists(PK)"}
    match operation:
        case "put":
            return "PutItem", {"TableName": table, "Item": item(f"{run}#{number}")}
        case "get":
            key = {"PK": {"S": f"{run}#{number}"}, "SK": {"S": "A"}}
            return "GetItem", {"TableName": table, "Key": key, "ConsistentRead": True}
        case "query of 20":
            return "Query", {
                "TableName": table,
                "KeyConditionExpression": "PK = :p AND begins_with(SK, :s)",
                "ExpressionAttributeValues": {":p": {"S": "many"}, ":s": {"S": "T#"}},
                "Limit": 20,
            }
        case _:
            keys = (f"inbox#{run}#{number}", f"effect#{run}#{number}", f"outbox#{run}#{number}")
            return "TransactWriteItems", {"TransactItems": [{"Put": new | {"Item": item(key)}} for key in keys]}


async def cost(call: Call, operation: str, table: str, run: str) -> float:
    """Microseconds of CPU of this process per call."""

    async def work(numbers: Iterator[int]) -> None:
        for number in numbers:
            await call(*request(operation, table, run, number))

    started = process_time()
    numbers = iter(range(CALLS))
    await asyncio.gather(*[work(numbers) for _ in range(AT_ONCE)])
    return (process_time() - started) / CALLS * 1e6


async def measure(call: Call) -> None:
    table = f"t{uuid4().hex[:12]}"
    await call("CreateTable", {"TableName": table, **TABLE})
    for number in range(20):
        await call("PutItem", {"TableName": table, "Item": item("many", f"T#{number:03}")})
    costs: dict[str, float] = {}
    for operation in OPERATIONS:
        await asyncio.gather(*[call(*request(operation, table, "warm", number)) for number in range(AT_ONCE)])
        costs[operation] = await cost(call, operation, table, "run")
    sys.stdout.write(json.dumps(costs) + "\n")


async def through_awsjson() -> None:
    from awsjson import AwsJson

    async with AwsJson() as client:
        await measure(partial(client.call, "dynamodb"))


async def through_boto3() -> None:
    import boto3
    from botocore.config import Config

    pool = ThreadPoolExecutor(THREADS)
    client: Any = boto3.client("dynamodb", config=Config(max_pool_connections=THREADS))

    async def call(operation: str, params: dict[str, Any]) -> dict[str, Any]:
        method = partial(getattr(client, METHODS[operation]), **params)
        answer: dict[str, Any] = await asyncio.get_running_loop().run_in_executor(pool, method)
        return answer

    with pool:
        await measure(call)


def dynamodb_section(report: Report, endpoint_url: str, rounds: int) -> None:
    """Compare both clients. Raises RunFailed."""
    samples = {kind: {operation: Samples(operation) for operation in OPERATIONS} for kind in ("awsjson", "boto3")}
    for number in range(rounds):
        for kind in ("awsjson", "boto3") if number % 2 == 0 else ("boto3", "awsjson"):
            answer = answer_of(child("bench.dynamodb", kind, **variables_for(endpoint_url, REGION)), 120.0)
            for operation, value in answer.items():
                samples[kind][operation].values.append(value)
    rows = []
    for operation in OPERATIONS:
        ours, theirs = samples["awsjson"][operation], samples["boto3"][operation]
        rows.append((operation, ours.spread(), theirs.spread(), ours.ratios(theirs).spread(2), "at most 0.35"))
    report.table(
        f"DynamoDB, µs of CPU per call, {AT_ONCE} at once ({rounds} rounds of {CALLS} calls)",
        ("operation", "awsjson", f"boto3 in {THREADS} threads", "ratio", "target"),
        rows,
    )


if __name__ == "__main__":
    asyncio.run(through_awsjson() if sys.argv[1] == "awsjson" else through_boto3())

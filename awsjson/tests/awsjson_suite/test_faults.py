"""Faults on the way to a real table: a call that is refused, cut, late or executed without an answer happens once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from awsjson import AwsError, AwsJson, ConditionFailed, Config, ConnectionFailed, DeadlineExceeded, Throttled
from awsjson_suite.stubs import KEYS, Naps
from awsjson_suite.test_conformance import ONCE, SCHEMA

pytestmark = pytest.mark.ministack
FAULTS: dict[str, Callable[[], AwsError]] = {
    "throttled": lambda: Throttled("ThrottlingException", status=400),
    "timed out": DeadlineExceeded,
    "reset": lambda: ConnectionFailed("reset", sent=True),
    "failed": lambda: AwsError("InternalServerError", status=500),
}


class Faulty:
    """Faults that fail the first attempts of a call, before the service sees them or after it has executed them."""

    def __init__(self) -> None:
        self.before_call: list[AwsError] = []
        self.after_call: list[AwsError] = []

    async def before(self, service: str, operation: str, params: Mapping[str, Any]) -> None:
        if self.before_call:
            raise self.before_call.pop()

    async def after(self, service: str, operation: str, params: Mapping[str, Any]) -> None:
        if self.after_call:
            raise self.after_call.pop()


@pytest.fixture
def faults() -> Faulty:
    return Faulty()


@pytest.fixture
async def real(ministack: str, faults: Faulty, naps: Naps) -> AsyncIterator[AwsJson]:
    async with AwsJson(
        region="eu-central-1", endpoint_url=ministack, credentials=KEYS, faults=faults, sleep=naps
    ) as client:
        yield client


@pytest.fixture
async def table(real: AwsJson) -> AsyncIterator[str]:
    name = f"t{uuid4().hex[:8]}"
    await real.call("dynamodb", "CreateTable", {"TableName": name, **SCHEMA})
    yield name
    await real.call("dynamodb", "DeleteTable", {"TableName": name})


def count_up(table: str) -> dict[str, Any]:
    return {
        "TableName": table,
        "Key": {"PK": {"S": "count"}},
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }


async def read_count(real: AwsJson, table: str) -> str:
    answer = await real.call("dynamodb", "GetItem", {"TableName": table, "Key": {"PK": {"S": "count"}}})
    return str(answer["Item"]["n"]["N"])


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("executed", [False, True])
async def test_a_transaction_happens_once(
    real: AwsJson, faults: Faulty, table: str, fault: str, executed: bool
) -> None:
    errors = [FAULTS[fault](), FAULTS[fault]()]
    if executed:
        faults.after_call = errors
    else:
        faults.before_call = errors
    await real.call("dynamodb", "TransactWriteItems", {"TransactItems": [{"Update": count_up(table)}]})
    assert await read_count(real, table) == "1"


async def test_the_control_without_a_token_happens_twice(real: AwsJson, faults: Faulty, table: str) -> None:
    faults.after_call = [DeadlineExceeded()]
    await real.call("dynamodb", "UpdateItem", count_up(table))
    assert await read_count(real, table) == "2"


async def test_without_retries_the_caller_gets_the_error(real: AwsJson, faults: Faulty, table: str) -> None:
    faults.after_call = [DeadlineExceeded()]
    with pytest.raises(DeadlineExceeded) as caught:
        await real.call("dynamodb", "UpdateItem", count_up(table), retry_unknown=False)
    assert caught.value.outcome_unknown
    assert await read_count(real, table) == "1"


async def test_a_refusal_that_may_be_the_calls_own_success_says_so(real: AwsJson, faults: Faulty, table: str) -> None:
    faults.after_call = [DeadlineExceeded()]
    with pytest.raises(ConditionFailed) as caught:
        await real.call("dynamodb", "PutItem", {"TableName": table, "Item": {"PK": {"S": "a"}}, **ONCE})
    assert caught.value.outcome_unknown
    assert caught.value.item == {"PK": {"S": "a"}}


class CuttingProxy:
    """A proxy before the emulator that cuts off the first answers, after the emulator has given them."""

    def __init__(self, target: str) -> None:
        self._host, _, self._port = target.removeprefix("http://").partition(":")
        self.cut = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection(self._host, int(self._port))

        async def forward() -> None:
            while data := await reader.read(65536):
                ours.write(data)

        forwarding = asyncio.create_task(forward())
        while data := await theirs.read(65536):
            if self.cut:
                self.cut -= 1
                writer.transport.abort()
                break
            writer.write(data)
        forwarding.cancel()
        ours.close()
        writer.close()


@pytest.mark.parametrize("cuts", [1, 3])
async def test_connections_that_break_after_the_execution(ministack: str, table: str, naps: Naps, cuts: int) -> None:
    proxy = CuttingProxy(ministack)
    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, AwsJson(region="eu-central-1", endpoint_url=url, credentials=KEYS, sleep=naps) as client:
        proxy.cut = cuts
        await client.call("dynamodb", "TransactWriteItems", {"TransactItems": [{"Update": count_up(table)}]})
        assert await read_count(client, table) == "1"
    assert len(naps.taken) == cuts


async def test_a_deadline_is_kept_over_faults_and_waits(ministack: str, faults: Faulty) -> None:
    config = Config(max_attempts=50, backoff_base=0.05, backoff_cap=0.05)
    async with AwsJson(
        region="eu-central-1", endpoint_url=ministack, credentials=KEYS, faults=faults, config=config
    ) as client:
        await client.open("dynamodb")
        faults.before_call = [Throttled("ThrottlingException") for _ in range(50)]
        started = asyncio.get_running_loop().time()
        with pytest.raises(Throttled):
            await client.call("dynamodb", "ListTables", {}, timeout=0.3)
        assert asyncio.get_running_loop().time() - started < 1.0


async def test_a_clock_that_is_wrong_from_the_start(aws: Any, naps: Naps) -> None:
    """The service refuses signatures that are far from its own time; only the first call pays for the wrong clock."""
    from aiohttp import web

    async def strict(request: web.Request) -> web.StreamResponse:
        signed = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(signed - datetime.now(UTC)) > timedelta(minutes=5):
            return web.json_response({"__type": "RequestTimeTooSkewed"}, status=403)
        return web.json_response({"done": True})

    aws.answers = [strict]
    late = datetime.now(UTC) - timedelta(hours=3)
    async with AwsJson(
        region="eu-central-1", endpoint_url=aws.url, credentials=KEYS, sleep=naps, now=lambda: late
    ) as client:
        for _ in range(3):
            assert await client.call("sqs", "ListQueues", {}) == {"done": True}
    assert len(aws.requests) == 4

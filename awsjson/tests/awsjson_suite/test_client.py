"""Answers, retries, deadlines and faults, against a canned AWS."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from awsjson import (
    AwsError,
    AwsJson,
    Config,
    ConfigurationError,
    ConnectionFailed,
    DeadlineExceeded,
    Throttled,
)
from awsjson_suite.emulator import free_port
from awsjson_suite.stubs import KEYS, CannedAws, Naps, failing, ok, reset, silent

PUT: dict[str, Any] = {"TableName": "table", "Item": {"PK": {"S": "a"}}}


async def test_answers_the_parsed_body(aws: CannedAws, client: AwsJson) -> None:
    aws.answers = [ok({"Messages": [{"Body": "x"}]})]
    assert await client.call("sqs", "ReceiveMessage", {"QueueUrl": "q"}) == {"Messages": [{"Body": "x"}]}


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "ThrottlingException", Throttled),
        (429, "Whatever", Throttled),
        (500, "InternalServerError", AwsError),
        (503, "ServiceUnavailable", AwsError),
        (409, "TransactionConflictException", AwsError),
    ],
)
async def test_retries_what_can_succeed_later(
    aws: CannedAws, client: AwsJson, status: int, code: str, expected: type[AwsError]
) -> None:
    aws.answers = [failing(status, code), ok({"done": True})]
    assert await client.call("dynamodb", "PutItem", PUT) == {"done": True}
    aws.answers = [failing(status, code)]
    with pytest.raises(expected) as caught:
        await client.call("dynamodb", "PutItem", PUT)
    assert caught.value.is_retryable
    assert caught.value.code == code
    assert len(aws.requests) == 2 + client.config.max_attempts


async def test_does_not_retry_what_cannot_succeed(aws: CannedAws, client: AwsJson) -> None:
    aws.answers = [failing(400, "ValidationException", None, **{"x-amzn-RequestId": "r-1"})]
    with pytest.raises(AwsError) as caught:
        await client.call("dynamodb", "PutItem", PUT)
    error = caught.value
    assert len(aws.requests) == 1
    assert (error.code, error.status, error.service, error.operation, error.request_id) == (
        "ValidationException",
        400,
        "dynamodb",
        "PutItem",
        "r-1",
    )
    assert not error.outcome_unknown


async def test_backoff_doubles_up_to_its_cap(aws: CannedAws, naps: Naps) -> None:
    config = Config(max_attempts=6, backoff_base=1.0, backoff_cap=5.0)
    aws.answers = [failing(500, "InternalServerError")]
    async with AwsJson(
        region="eu-central-1", endpoint_url=aws.url, credentials=KEYS, config=config, sleep=naps, random=lambda: 1.0
    ) as client:
        with pytest.raises(AwsError):
            await client.call("dynamodb", "PutItem", PUT)
    assert naps.taken == [2.0, 4.0, 5.0, 5.0, 5.0]


async def test_an_empty_budget_ends_the_retries_and_successes_fill_it(aws: CannedAws, client: AwsJson) -> None:
    client.budget.tokens = 9
    aws.answers = [failing(500, "InternalServerError")]
    with pytest.raises(AwsError):
        await client.call("dynamodb", "PutItem", PUT)
    assert len(aws.requests) == 2
    assert client.budget.tokens == 4
    aws.answers = [ok()]
    await client.call("dynamodb", "PutItem", PUT)
    assert client.budget.tokens == 5


async def test_a_retry_that_succeeds_costs_nothing(aws: CannedAws, client: AwsJson) -> None:
    client.budget.tokens = 100
    aws.answers = [failing(500, "InternalServerError"), failing(500, "InternalServerError"), ok()]
    await client.call("dynamodb", "PutItem", PUT)
    assert client.budget.tokens == 100


async def test_the_deadline_covers_all_attempts(aws: CannedAws, client: AwsJson) -> None:
    aws.answers = [silent()]
    started = asyncio.get_running_loop().time()
    with pytest.raises(DeadlineExceeded) as caught:
        await client.call("dynamodb", "PutItem", PUT, timeout=0.2)
    assert asyncio.get_running_loop().time() - started < 1.0
    assert caught.value.outcome_unknown
    assert len(aws.requests) == 1


async def test_a_silent_attempt_is_tried_again(aws: CannedAws, naps: Naps) -> None:
    config = Config(read_timeout=0.1)
    aws.answers = [silent(), ok({"done": True})]
    async with AwsJson(
        region="eu-central-1", endpoint_url=aws.url, credentials=KEYS, config=config, sleep=naps
    ) as client:
        assert await client.call("dynamodb", "PutItem", PUT) == {"done": True}


async def test_a_long_poll_may_be_silent_for_its_wait(aws: CannedAws) -> None:
    config = Config(read_timeout=0.1)
    aws.answers = [silent(0.5)]
    async with AwsJson(region="eu-central-1", endpoint_url=aws.url, credentials=KEYS, config=config) as client:
        assert await client.call("sqs", "ReceiveMessage", {"QueueUrl": "q", "WaitTimeSeconds": 1}) == {}


async def test_a_reset_leaves_the_outcome_unknown(aws: CannedAws, client: AwsJson) -> None:
    aws.answers = [reset]
    with pytest.raises(ConnectionFailed) as caught:
        await client.call("dynamodb", "PutItem", PUT, retry_unknown=False)
    assert caught.value.outcome_unknown
    assert len(aws.requests) == 1
    aws.answers = [reset, ok({"done": True})]
    assert await client.call("dynamodb", "PutItem", PUT) == {"done": True}


async def test_an_outcome_that_was_unknown_once_stays_unknown(aws: CannedAws, client: AwsJson) -> None:
    aws.answers = [reset, failing(400, "ConditionalCheckFailedException")]
    with pytest.raises(AwsError) as caught:
        await client.call("dynamodb", "PutItem", PUT)
    assert caught.value.code == "ConditionalCheckFailedException"
    assert caught.value.outcome_unknown


async def test_a_call_without_a_server_was_never_sent(naps: Naps) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with AwsJson(region="eu-central-1", endpoint_url=url, credentials=KEYS, sleep=naps) as client:
        with pytest.raises(ConnectionFailed) as caught:
            await client.call("dynamodb", "PutItem", PUT, retry_unknown=False)
    assert not caught.value.outcome_unknown
    assert len(naps.taken) == client.config.max_attempts - 1


async def test_a_transaction_keeps_its_token_over_its_attempts(aws: CannedAws, client: AwsJson) -> None:
    aws.answers = [failing(500, "InternalServerError"), ok()]
    params = {"TransactItems": [{"Put": PUT}]}
    await client.call("dynamodb", "TransactWriteItems", params)
    first, second = (body["ClientRequestToken"] for body in aws.bodies())
    assert first == second
    assert len(first) == 36
    assert "ClientRequestToken" not in params
    await client.call("dynamodb", "TransactWriteItems", params | {"ClientRequestToken": "mine"})
    assert aws.bodies()[-1]["ClientRequestToken"] == "mine"


async def test_learns_the_time_from_a_refused_signature(aws: CannedAws, client: AwsJson) -> None:
    theirs = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    aws.answers = [failing(403, "InvalidSignatureException", Date=theirs), ok({"done": True})]
    assert await client.call("dynamodb", "PutItem", PUT) == {"done": True}
    before, after = (datetime.strptime(h["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) for h, _ in aws.requests)
    assert timedelta(minutes=59) < after - before < timedelta(minutes=61)


async def test_a_wrong_key_is_not_tried_again(aws: CannedAws, client: AwsJson) -> None:
    aws.answers = [failing(403, "InvalidSignatureException")]
    with pytest.raises(AwsError):
        await client.call("dynamodb", "PutItem", PUT)
    assert len(aws.requests) == 1


class Refusing:
    """Faults that refuse the first calls, or let them be executed and then answer with an error."""

    def __init__(self, when: str, error: AwsError, times: int = 1) -> None:
        self.when, self.error, self.times = when, error, times

    async def before(self, service: str, operation: str, params: Mapping[str, Any]) -> None:
        self._fail("before")

    async def after(self, service: str, operation: str, params: Mapping[str, Any]) -> None:
        self._fail("after")

    def _fail(self, moment: str) -> None:
        if moment == self.when and self.times > 0:
            self.times -= 1
            raise self.error


@pytest.mark.parametrize(("when", "sent"), [("before", 1), ("after", 2)])
async def test_injected_faults_are_treated_as_real_ones(aws: CannedAws, naps: Naps, when: str, sent: int) -> None:
    faults = Refusing(when, AwsError("InternalServerError", status=500))
    async with AwsJson(
        region="eu-central-1", endpoint_url=aws.url, credentials=KEYS, faults=faults, sleep=naps
    ) as client:
        assert await client.call("dynamodb", "PutItem", PUT) == {}
    assert len(aws.requests) == sent


async def test_an_injected_fault_that_cannot_be_retried_reaches_the_caller(aws: CannedAws) -> None:
    faults = Refusing("after", AwsError("ValidationException", status=400))
    async with AwsJson(region="eu-central-1", endpoint_url=aws.url, credentials=KEYS, faults=faults) as client:
        with pytest.raises(AwsError, match="ValidationException"):
            await client.call("dynamodb", "PutItem", PUT)
    assert len(aws.requests) == 1


async def test_answers_that_are_not_json(aws: CannedAws, client: AwsJson) -> None:
    async def html(request: Any) -> Any:
        from aiohttp import web

        return web.Response(status=503, text="<html>Service Unavailable</html>")

    aws.answers = [html, ok({"done": True})]
    assert await client.call("dynamodb", "PutItem", PUT) == {"done": True}
    aws.answers = [html]
    with pytest.raises(AwsError, match="Http503: <html>"):
        await client.call("dynamodb", "PutItem", PUT)


async def test_misuse_raises_a_clear_error(aws: CannedAws, client: AwsJson) -> None:
    with pytest.raises(ConfigurationError, match="not a JSON protocol"):
        await client.call("s3", "GetObject", {})
    with pytest.raises(ConfigurationError, match="no operation 'Putitem'"):
        await client.call("dynamodb", "Putitem", {})
    with pytest.raises(ConfigurationError, match="nosuch"):
        await client.call("nosuch", "X", {})
    with pytest.raises(TypeError, match="object"):
        await client.call("sqs", "SendMessage", {"x": object()})
    closed = AwsJson(region="eu-central-1", credentials=KEYS)
    with pytest.raises(RuntimeError, match="not open"):
        await closed.call("sqs", "ListQueues", {})

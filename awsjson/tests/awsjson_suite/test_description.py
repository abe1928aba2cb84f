"""Descriptions, endpoints, error codes and keys are those of botocore."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from awsjson.codec import decode, encode
from awsjson.environment import Environment
from awsjson.errors import THROTTLING_CODES, TRANSIENT_CODES, TRANSIENT_STATUSES
from awsjson.service import _Shapes, describe
from botocore.loaders import create_loader
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker

from awsjson import AwsJson, ConditionFailed, ConfigurationError, StaticCredentials, TransactionCancelled
from awsjson_suite.stubs import KEYS, CannedAws, failing, ok

SERVICES = ("dynamodb", "sqs", "events", "kms", "cognito-idp", "ssm", "secretsmanager")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_every_throttling_code_of_botocore_is_known() -> None:
    throttled: Any = ThrottledRetryableChecker
    transient: Any = TransientRetryableChecker
    assert set(throttled._THROTTLED_ERROR_CODES) <= THROTTLING_CODES
    assert set(transient._TRANSIENT_ERROR_CODES) <= THROTTLING_CODES | TRANSIENT_CODES
    assert set(transient._TRANSIENT_STATUS_CODES) <= TRANSIENT_STATUSES


@pytest.mark.parametrize("name", SERVICES)
def test_no_member_has_another_name_on_the_wire_and_no_host_a_prefix(name: str) -> None:
    # the client supports neither: no service may need them
    model = create_loader().load_service_model(name, "service-2")
    for shape in model["shapes"].values():
        for member, part in shape.get("members", {}).items():
            assert part.get("locationName", member) == member
    assert not [op for op in model["operations"].values() if "endpoint" in op]
    assert describe(name, model).operations.keys() == model["operations"].keys()


def test_blobs_and_timestamps_are_found_at_any_depth() -> None:
    service = describe("dynamodb", create_loader().load_service_model("dynamodb", "service-2"))
    get, create = service.operation("GetItem"), service.operation("DescribeTable")
    assert get.answer is not None
    assert create.answer is not None
    assert set(get.markers) == {b'"B"', b'"BS"'}
    item = {"a": {"M": {"b": {"L": [{"B": "AP8="}, {"BS": ["eA=="]}, {"S": "AP8="}]}}}}
    assert decode(get.answer, {"Item": item})["Item"]["a"]["M"]["b"]["L"] == [
        {"B": b"\x00\xff"},
        {"BS": [b"x"]},
        {"S": "AP8="},
    ]
    table = decode(create.answer, {"Table": {"CreationDateTime": 1.5}})
    assert table["Table"]["CreationDateTime"] == datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)


def test_requests_carry_bytes_and_times() -> None:
    params = {
        "b": b"\x00\xff",
        "whole": datetime(2020, 1, 1, tzinfo=UTC),
        "naive": datetime(2020, 1, 1, 0, 0, 0, 500_000, UTC).replace(tzinfo=None),
    }
    assert encode(params) == b'{"b":"AP8=","whole":1577836800,"naive":1577836800.5}'


@pytest.mark.parametrize(
    ("region", "variables", "url"),
    [
        ("eu-central-1", {}, "https://dynamodb.eu-central-1.amazonaws.com/"),
        ("cn-north-1", {}, "https://dynamodb.cn-north-1.amazonaws.com.cn/"),
        ("eu-central-1", {"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "https://dynamodb.eu-central-1.api.aws/"),
        ("us-east-1", {"AWS_USE_FIPS_ENDPOINT": "true"}, "https://dynamodb-fips.us-east-1.amazonaws.com/"),
        ("eu-central-1", {"AWS_ENDPOINT_URL": "http://all:1"}, "http://all:1/"),
        (
            "eu-central-1",
            {"AWS_ENDPOINT_URL": "http://all:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://one:2/"},
            "http://one:2/",
        ),
        (
            "eu-central-1",
            {"AWS_ENDPOINT_URL": "http://all:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            "https://dynamodb.eu-central-1.amazonaws.com/",
        ),
    ],
)
def test_endpoints(monkeypatch: pytest.MonkeyPatch, region: str, variables: dict[str, str], url: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Environment(region, None).target("dynamodb").url == url
    assert Environment(region, "http://given:3").target("dynamodb").url == "http://given:3/"


async def test_region_and_keys_come_from_the_environment(aws: CannedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="no region"):
        await AwsJson().open()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    async with AwsJson() as keyless:
        with pytest.raises(ConfigurationError, match="no credentials"):
            await keyless.call("sqs", "ListQueues", {})
        await keyless.call("cognito-idp", "InitiateAuth", {"ClientId": "c"})
    assert "Authorization" not in aws.requests[-1][0]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    async with AwsJson() as client:
        await client.call("sqs", "ListQueues", {})
    headers = aws.requests[-1][0]
    assert headers["X-Amz-Security-Token"] == "token"
    assert "/eu-west-3/sqs/aws4_request" in headers["Authorization"]
    assert not {"User-Agent", "Accept", "Accept-Encoding"} & headers.keys()


class Expiring:
    """Keys that need a refresh, and a count of the refreshes."""

    def __init__(self) -> None:
        self.refreshes = 0

    def refresh_needed(self) -> bool:
        return self.refreshes == 0

    def get_frozen_credentials(self) -> StaticCredentials:
        if self.refresh_needed():
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()  # a refresh may block: not on the loop
            self.refreshes += 1
        return KEYS


async def test_keys_are_refreshed_once_and_off_the_loop(aws: CannedAws) -> None:
    keys = Expiring()
    async with AwsJson(region="eu-central-1", endpoint_url=aws.url, credentials=keys) as client:
        await client.open("sqs")
        await asyncio.gather(*[client.call("sqs", "ListQueues", {}) for _ in range(10)])
    assert keys.refreshes == 1


async def test_dynamodbs_refusals_contain_their_items(aws: CannedAws, client: AwsJson) -> None:
    old = {"PK": {"S": "a"}, "b": {"B": "AP8="}}
    aws.answers = [failing(400, "ConditionalCheckFailedException", {"Item": old})]
    with pytest.raises(ConditionFailed) as condition:
        await client.call("dynamodb", "PutItem", {"TableName": "table", "Item": {}})
    assert condition.value.item == {"PK": {"S": "a"}, "b": {"B": b"\x00\xff"}}
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": "m", "Item": old}]
    aws.answers = [failing(400, "TransactionCanceledException", {"CancellationReasons": reasons})]
    with pytest.raises(TransactionCancelled) as cancelled:
        await client.call("dynamodb", "TransactWriteItems", {"TransactItems": []})
    first, second = cancelled.value.reasons
    assert (first.code, second.code, second.message) == ("None", "ConditionalCheckFailed", "m")
    assert second.item == {"PK": {"S": "a"}, "b": {"B": b"\x00\xff"}}
    assert not cancelled.value.conflict
    assert not cancelled.value.is_retryable


async def test_a_conflict_alone_is_retried(aws: CannedAws, client: AwsJson) -> None:
    reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
    conflict = failing(400, "TransactionCanceledException", {"CancellationReasons": reasons})
    aws.answers = [conflict, ok({"done": True})]
    assert await client.call("dynamodb", "TransactWriteItems", {"TransactItems": []}) == {"done": True}
    aws.answers = [conflict]
    with pytest.raises(TransactionCancelled) as caught:
        await client.call("dynamodb", "TransactWriteItems", {"TransactItems": []})
    assert caught.value.conflict


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), {"Item": [{"S": None}]}])
def test_no_value_silently_becomes_null(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot carry"):
        encode({"A": value})


def test_the_word_null_is_an_ordinary_text() -> None:
    assert encode({"A": {"S": "null"}, "null": True}) == b'{"A":{"S":"null"},"null":true}'


@pytest.mark.parametrize("value", [object(), {1: 2}, {"a"}, "\ud800"])
def test_what_json_cannot_carry_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encode({"A": value})


@pytest.mark.parametrize(("service", "operation"), [("stepfunctions", "TestState"), ("logs", "StartLiveTail")])
async def test_operations_that_need_more_are_refused(client: AwsJson, service: str, operation: str) -> None:
    with pytest.raises(ConfigurationError, match=r"host of its own|streams events"):
        await client.call(service, operation, {})


async def test_a_service_that_offers_json_beside_another_protocol(aws: CannedAws, client: AwsJson) -> None:
    await client.call("cloudwatch", "ListMetrics", {"Namespace": "n"})
    assert aws.requests[-1][0]["X-Amz-Target"] == "GraniteServiceVersion20100801.ListMetrics"
    with pytest.raises(ConfigurationError, match="speaks query"):
        await client.call("sts", "GetCallerIdentity", {})


@pytest.mark.parametrize("name", ["glue", "partnercentral-selling", "timestream-influxdb", "dms"])
def test_no_operation_takes_times_in_two_spellings(name: str) -> None:
    # one spelling is chosen for the whole request
    model = create_loader().load_service_model(name, "service-2")
    shapes = _Shapes(model["shapes"])
    epochs = shapes.reaching(lambda shape: shape["type"] == "timestamp" and "timestampFormat" not in shape)
    described = describe(name, model)
    for operation, raw in model["operations"].items():
        if described.operation(operation).iso_times:
            assert raw["input"]["shape"] not in epochs

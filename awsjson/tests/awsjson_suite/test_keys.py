"""Keys are refreshed early, off the event loop, and replaced when a service reports them as expired."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
from awsjson.keys import Keys

from awsjson import AwsJson, ConfigurationError, CredentialsUnavailable, StaticCredentials
from awsjson_suite.stubs import CannedAws, Naps, failing, ok

OLD, NEW = StaticCredentials("OLD", "s", "t"), StaticCredentials("NEW", "s", "t")


class Expiring:
    """Keys that expire after some seconds; new ones are returned when the gate opens."""

    def __init__(self, seconds_left: float) -> None:
        self.seconds_left = seconds_left
        self.gate = threading.Event()
        self.fetches = 0
        self.error: Exception | None = None

    def refresh_needed(self, refresh_in: float | None = None) -> bool:
        return self.seconds_left < (900.0 if refresh_in is None else refresh_in)

    def get_frozen_credentials(self) -> StaticCredentials:
        if not self.refresh_needed():
            return NEW if self.fetches else OLD
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()  # it may block: not on the loop
        assert self.gate.wait(10.0)
        if self.error is not None:
            raise self.error
        self.fetches += 1
        self.seconds_left = 3600.0
        return NEW


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_no_call_waits_for_a_refresh_that_is_not_urgent() -> None:
    source = Expiring(3600.0)
    keys = Keys(source)
    assert await keys.current() == OLD
    source.seconds_left = 300.0
    for _ in range(5):
        assert await asyncio.wait_for(keys.current(), 1.0) == OLD
    source.gate.set()
    await until(lambda: source.fetches == 1)
    assert await keys.current() == NEW


async def test_keys_that_are_about_to_expire_are_waited_for_once() -> None:
    source = Expiring(30.0)
    keys = Keys(source)
    waiting = [asyncio.create_task(keys.current()) for _ in range(10)]
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in waiting)
    source.gate.set()
    assert set(await asyncio.gather(*waiting)) == {NEW}
    assert source.fetches == 1


async def test_a_refresh_that_fails_leaves_the_keys_in_use(caplog: pytest.LogCaptureFixture) -> None:
    source = Expiring(3600.0)
    keys = Keys(source)
    await keys.current()
    source.seconds_left, source.error = 300.0, OSError("no route")
    source.gate.set()
    assert await keys.current() == OLD
    await until(lambda: "no route" in caplog.text)
    assert await keys.current() == OLD
    source.seconds_left = 10.0
    with pytest.raises(CredentialsUnavailable, match="no route") as caught:
        await keys.current()
    assert caught.value.is_retryable


async def test_without_keys_the_error_says_so() -> None:
    with pytest.raises(ConfigurationError, match="no credentials"):
        await Keys(None).current()


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException"])
async def test_refused_keys_start_a_new_search(
    aws: CannedAws, naps: Naps, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OLD")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    async with AwsJson(region="eu-central-1", endpoint_url=aws.url, sleep=naps) as client:
        await client.call("sqs", "ListQueues", {})
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "NEW")
        aws.answers = [failing(403, code), ok({"done": True})]
        assert await client.call("sqs", "ListQueues", {}) == {"done": True}
        assert [headers["Authorization"].split("=")[1][:3] for headers, _ in aws.requests] == ["OLD", "OLD", "NEW"]
        assert naps.taken == [0.0]


async def test_many_refused_calls_search_once(aws: CannedAws, naps: Naps) -> None:
    looks = 0

    def rediscover() -> StaticCredentials:
        nonlocal looks
        looks += 1
        time.sleep(0.05)
        return NEW

    keys = Keys(OLD, rediscover)
    assert await asyncio.gather(*[keys.replace(OLD) for _ in range(10)]) == [True] * 10
    assert looks == 1
    assert await keys.current() == NEW


async def test_keys_that_stay_refused_are_raised(aws: CannedAws, client: AwsJson) -> None:
    aws.answers = [failing(403, "ExpiredTokenException")]
    with pytest.raises(Exception, match="ExpiredTokenException"):
        await client.call("sqs", "ListQueues", {})
    assert len(aws.requests) == 1


async def test_a_failed_search_leaves_the_refusal(caplog: pytest.LogCaptureFixture) -> None:
    def rediscover() -> StaticCredentials:
        raise OSError("no metadata")

    keys = Keys(OLD, rediscover)
    assert not await keys.replace(OLD)
    assert "no metadata" in caplog.text
    assert not await keys.replace(OLD)

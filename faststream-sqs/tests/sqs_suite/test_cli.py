"""FastStream's real command line: processes, workers, reload, signals."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from faststream_sqs import SQSBroker

from awsjson import AwsJson

pytestmark = [pytest.mark.ministack, pytest.mark.slow]

APP = """
import os, asyncio
from faststream import FastStream
from faststream_sqs import SQSBroker, SQSMessage, SQSQueue

broker = SQSBroker(region="eu-central-1", graceful_timeout=60)
app = FastStream(broker)
VERSION = "first"

@broker.subscriber(SQSQueue(os.environ["QUEUE"], visibility=3), wait=1, raw=True)
async def handle(message: SQSMessage) -> None:
    # in one write: workers share the output, and print's pieces would mix
    os.write(1, f"handled {message.body.decode()} {VERSION} {os.getpid()}\\n".encode())
    await asyncio.sleep(60 if message.body == b"slow" else 0.02)
"""


class Running:
    """`faststream run` and what it printed."""

    def __init__(self, process: "subprocess.Popen[bytes]", output: Path) -> None:
        self.process = process
        self.output = output

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def wait_for(self, pattern: str, seconds: float = 20.0) -> list[str]:
        return until(lambda: re.findall(pattern, self.text()), self.text, seconds)

    def end(self, *signals: int) -> int:
        for number in signals:
            self.process.send_signal(number)
        return self.process.wait(20)


def until(found: Callable[[], list[str]], told: Callable[[], str], seconds: float) -> list[str]:
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, told()
        time.sleep(0.05)
    return result


@pytest.fixture
async def queue(aws: AwsJson) -> str:
    name = f"q{uuid4().hex[:12]}"
    await aws.call("sqs", "CreateQueue", {"QueueName": name})
    return name


@pytest.fixture
async def publisher(aws: AwsJson) -> AsyncIterator[SQSBroker]:
    broker = SQSBroker(aws, logger=None)
    await broker.connect()
    yield broker
    await broker.stop()


@contextmanager
def running(folder: Path, url: str, queue: str, *options: str) -> Iterator[Running]:
    (folder / "shop.py").write_text(APP)
    environment = os.environ | {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "QUEUE": queue,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    output = folder / "output"
    command = [sys.executable, "-m", "faststream", "run", "shop:app", *options]
    with output.open("wb") as stream:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=stream, stderr=stream)
    try:
        yield Running(process, output)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


async def test_run_consumes_and_ends_at_a_signal(
    ministack: str, tmp_path: Path, queue: str, publisher: SQSBroker
) -> None:
    with running(tmp_path, ministack, queue) as cli:
        cli.wait_for("started successfully")
        await publisher.publish("one", queue)
        cli.wait_for("handled one")
        assert cli.end(signal.SIGTERM) == 0
        assert "shut down gracefully" in cli.text()


async def test_a_second_signal_does_not_wait_for_handlers(
    ministack: str, tmp_path: Path, queue: str, publisher: SQSBroker, aws: AwsJson
) -> None:
    with running(tmp_path, ministack, queue) as cli:
        cli.wait_for("started successfully")
        await publisher.publish("slow", queue)
        cli.wait_for("handled slow")
        cli.process.send_signal(signal.SIGTERM)
        cli.wait_for("shutting down")
        assert cli.end(signal.SIGTERM) == 0
        assert "did not end after the second signal" in cli.text()
    url = (await aws.call("sqs", "GetQueueUrl", {"QueueName": queue}))["QueueUrl"]
    # the poll that was cut may have taken it on the server's side: then it comes when its visibility ends
    received = await aws.call("sqs", "ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 10})
    assert received["Messages"][0]["Body"] == "slow"


async def test_workers_are_processes_that_share_the_queue(
    ministack: str, tmp_path: Path, queue: str, publisher: SQSBroker
) -> None:
    with running(tmp_path, ministack, queue, "--workers", "2") as cli:
        until(lambda: ["x"] if cli.text().count("waiting for messages") == 2 else [], cli.text, 20)
        handled: list[tuple[str, str]] = []
        rounds = 0
        while len({process for _, process in handled}) < 2:
            assert rounds < 20, cli.text()
            await publisher.publish_batch(*[f"m{rounds}-{n}" for n in range(20)], queue=queue)
            rounds += 1
            until(lambda: ["x"] if cli.text().count("handled m") >= 20 * rounds else [], cli.text, 20)  # noqa: B023
            handled = re.findall(r"handled (m\S+) first (\d+)", cli.text())
        assert len({body for body, _ in handled}) == 20 * rounds
        cli.end(signal.SIGTERM)


async def test_reload_runs_the_new_code(ministack: str, tmp_path: Path, queue: str, publisher: SQSBroker) -> None:
    with running(tmp_path, ministack, queue, "--reload") as cli:
        cli.wait_for("started successfully")
        await publisher.publish("before", queue)
        cli.wait_for("handled before first")
        (tmp_path / "shop.py").write_text(APP.replace('"first"', '"second"'))
        until(lambda: ["x"] if cli.text().count("started successfully") == 2 else [], cli.text, 20)
        await publisher.publish("after", queue)
        cli.wait_for("handled after second")
        cli.end(signal.SIGTERM)

"""The embedded AWS for one run of the benchmarks, and boto3 clients for what is not measured."""

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from tests.bench.processes import ROOT, end, free_port

REGION = "eu-central-1"


class NoEmulator(Exception):
    """The embedded AWS is not installed or does not start; the message says which."""


@contextmanager
def running_emulator(home: Path) -> Iterator[str]:
    """Its address; it is stopped afterwards and leaves nothing outside of `home`. Raises NoEmulator."""
    binary = Path(os.environ.get("EMULATOR_VENV") or ROOT / ".local/emulator-venv") / "bin/ministack"
    if not binary.exists():
        raise NoEmulator(f"the embedded AWS is not installed in {binary.parent.parent}; run `make setup`")
    port = free_port()
    environment = os.environ | {
        "GATEWAY_PORT": str(port),
        "PERSIST_STATE": "0",
        "STATE_DIR": str(home),
        "TMPDIR": str(home),
    }
    with (home / "emulator.log").open("wb") as log:
        process = subprocess.Popen([binary], cwd=home, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(process, url)
        yield url
    finally:
        end(process)


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise NoEmulator(f"the embedded AWS ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise NoEmulator(f"the embedded AWS was not healthy within {seconds:.0f} s")


class Queues:
    """Makes queues, fills them, and watches them empty; none of it is measured."""

    def __init__(self, endpoint_url: str) -> None:
        self._sqs = boto3.client(
            "sqs",
            endpoint_url=endpoint_url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def create(self, name: str) -> str:
        url: str = self._sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "120"})["QueueUrl"]
        return url

    def delete(self, url: str) -> None:
        self._sqs.delete_queue(QueueUrl=url)

    def fill(self, url: str, bodies: list[str]) -> None:
        for start in range(0, len(bodies), 10):
            entries: Any = [{"Id": str(i), "MessageBody": text} for i, text in enumerate(bodies[start : start + 10])]
            answer = self._sqs.send_message_batch(QueueUrl=url, Entries=entries)
            assert not answer.get("Failed"), answer

    def left(self, url: str) -> int:
        """Messages that are waiting or taken and not deleted."""
        found = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])

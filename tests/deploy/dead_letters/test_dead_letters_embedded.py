"""The operators' commands for dead letters, as an operator types them, on the embedded AWS."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded.emulator import Emulator
from deploy.embedded.ports import free_port
from tests.deploy.dead_letters.test_dead_letters import body

pytestmark = [pytest.mark.ministack, pytest.mark.slow]


class Stage:
    """A stage with one subscription, and a queue that gets the events for audit."""

    def __init__(self, emulator: Emulator) -> None:
        self.sqs, self.events = emulator.aws.client("sqs"), emulator.aws.client("events")
        self.endpoint = emulator.endpoint_url
        self.queue, self.dead, self.audit = (
            self.sqs.create_queue(QueueName=f"tenfold-test-{name}")["QueueUrl"]
            for name in ("analytics-figures", "analytics-figures-dlq", "audit-trail")
        )
        self.events.create_event_bus(Name="tenfold-test")
        pattern = json.dumps({"source": [{"prefix": "tenfold."}]})
        self.events.put_rule(Name="trail", EventBusName="tenfold-test", EventPattern=pattern)
        arn = self.sqs.get_queue_attributes(QueueUrl=self.audit, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.events.put_targets(Rule="trail", EventBusName="tenfold-test", Targets=[{"Id": "1", "Arn": arn}])

    def bury(self, *texts: str) -> None:
        reason = {"Reason": {"DataType": "String", "StringValue": "No such project."}}
        for text in texts:
            self.sqs.send_message(QueueUrl=self.dead, MessageBody=text, MessageAttributes=reason)

    def type(self, *command: str, code: int = 0) -> str:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        done = subprocess.run(
            [sys.executable, "-m", "deploy", *command, "--stage", "test", "--endpoint", self.endpoint],
            env=clean | {"COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    def received(self, url: str, count: int) -> list[dict[str, Any]]:
        """Takes `count` bodies out of a queue; fails after ten seconds."""
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + 10
        while len(found) < count and time.monotonic() < deadline:
            for one in self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []):
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
                found.append(json.loads(one["Body"]))
        assert len(found) == count
        return found


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Emulator(tmp_path / "state") as emulator:
        yield Stage(emulator)


def test_an_operator_fixes_dead_letters(stage: Stage) -> None:
    assert "no dead letters in 1 subscriptions" in stage.type("dlq")
    stage.bury(body(2), body(1), body(3, "org_other"))
    assert "3 × No such project." in stage.type("dlq")
    shown = json.loads(stage.type("dlq-show", "analytics.figures", "--org", "org_acme", "--json"))
    assert [(one["event_id"], one["error"], one["trace_id"]) for one in shown] == [
        ("event1", "No such project.", "a" * 32),
        ("event2", "No such project.", "a" * 32),
    ]

    assert "a dry run: 2 dead letters" in stage.type("redrive", "analytics.figures", "--org", "org_acme")
    edit = json.dumps({"title": "Better"})
    done = stage.type("redrive", "analytics.figures", "--org", "org_acme", "--edit", edit, "--yes")
    assert "2 dead letters sent back" in done
    back = stage.received(stage.queue, 2)
    assert [one["detail"]["id"] for one in back] == ["event1", "event2"]
    assert {one["detail"]["data"]["title"] for one in back} == {"Better"}

    assert "1 dead letters of analytics.figures dropped" in stage.type(
        "dlq-drop", "analytics.figures", "--reason", "a test", "--yes"
    )
    records = [each["detail"] for each in stage.received(stage.audit, 2)]
    assert [(each["type"], each["orgid"], each["data"]["count"]) for each in records] == [
        ("operations.letters.redriven.v1", "org_acme", 2),
        ("operations.letters.dropped.v1", "org_other", 1),
    ]
    assert "no dead letters in 1 subscriptions" in stage.type("dlq")
    assert "no such dead letters; there are 0 in all" in stage.type("redrive", "analytics.figures", code=1)
    assert "there is no subscription 'a.b'" in stage.type("redrive", "a.b", code=1)


def test_a_stage_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    for arguments, said in (
        (("--endpoint", f"http://127.0.0.1:{free_port()}"), "cannot reach AWS"),
        ((), "nothing runs on this machine; start it with `make up`"),
        (("--stage", "No!"), "cannot be a stage"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "deploy", "dlq", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env=os.environ | {"TENFOLD_STATE": str(tmp_path)},
            check=False,
        )
        assert (done.returncode, said in done.stderr, len(done.stderr.strip().splitlines())) == (1, True, 1)

"""History goes to one consumer and to no other, on the embedded AWS."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from chassis.declare.resource_names import Names
from chassis.declare.service import service
from chassis.messaging.dispatch import REPLAY_NAME
from deploy.dead_letters.history import Archive, Span, archive_of
from deploy.dead_letters.rebuild_command import rebuild_projection
from deploy.dead_letters.replay import (
    Consumer,
    EventFilter,
    ReplayProgress,
    consumer_of,
    refuse_while_dead_letters,
    replay,
)
from deploy.dead_letters.target import OperatedStage
from deploy.embedded.emulator import Emulator
from deploy.embedded.emulator_patches import fill_gaps
from deploy.errors import RefusedError
from deploy.stage.command import OperatorConsole
from deploy.stage.stacks import Stacks
from deploy.template import Target, platform_template, render, service_template
from tests.deploy.dead_letters.test_dead_letters import body

pytestmark = [pytest.mark.ministack, pytest.mark.slow]


class Stage:
    """The platform, analytics and notify, without processes."""

    def __init__(self, emulator: Emulator) -> None:
        self.aws, target = emulator.aws, Target("test", local=True, runtime="python3.11", architecture="x86_64")
        stacks, platform = Stacks(emulator.aws), platform_template(target)
        stacks.deploy("tenfold-test-platform", render(platform))
        fill_gaps(emulator.aws, platform)
        fill_gaps(emulator.aws, platform)  # every deploy does it again
        for name in ("analytics", "audit"):
            stacks.deploy(f"tenfold-test-{name}", render(service_template(service(name), target)))
        self.stage, self.names = OperatedStage(emulator.aws, Names("test"), "ann"), Names("test")

    @property
    def archive(self) -> Archive:
        return archive_of(self.stage)

    def publish(self, *texts: str) -> None:
        for text in texts:
            raw = json.loads(text)
            entry = {"EventBusName": "tenfold-test", "Source": raw["source"], "DetailType": raw["detail-type"]}
            self.aws.client("events").put_events(Entries=[{**entry, "Detail": json.dumps(raw["detail"])}])

    def drain(self, service_name: str, subscription: str) -> list[dict[str, Any]]:
        """Take everything out of a queue."""
        sqs, found = self.aws.client("sqs"), []
        url = sqs.get_queue_url(QueueName=self.names.queue(service_name, subscription))["QueueUrl"]
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
            for one in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
                found.append(json.loads(one["Body"]))
        return found


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Emulator(Path(tmp_path_factory.mktemp("replay")) / "state") as emulator:
        yield Stage(emulator)


def whole() -> Span:
    now = datetime.now(UTC)
    return Span(now - timedelta(hours=1), now + timedelta(seconds=5))


def run_replay(
    archive: Archive, consumer: Consumer, wanted: EventFilter, *, with_effects: bool = False
) -> ReplayProgress:
    return [ReplayProgress(), *replay(archive, consumer, whole(), wanted, rate=1000, with_effects=with_effects)][-1]


def test_history_goes_to_one_consumer_only(stage: Stage) -> None:
    half = json.dumps({"source": "tenfold.tasks", "detail-type": "tasks.task.created.v1", "detail": {"half": 1}})
    stage.publish(body(1), body(2, "org_other"), half, body(3))
    figures = consumer_of("analytics", "figures")
    live = [one["detail"].get("id", "half") for one in stage.drain("analytics", "figures")]
    assert sorted(live) == ["event1", "event2", "event3", "half"]
    assert len(stage.drain("audit", "trail")) == 4

    progress = run_replay(stage.archive, figures, EventFilter(org="org_acme"))
    assert (progress.read, progress.unreadable, dict(progress.sent)) == (4, 1, {"tasks.task.created.v1": 2})
    again = stage.drain("analytics", "figures")
    assert [one["detail"]["id"] for one in again] == ["event1", "event3"]
    assert all(REPLAY_NAME in one for one in again)
    assert stage.drain("audit", "trail") == [], "a replay reached another consumer"

    run_replay(stage.archive, figures, EventFilter(org="org_other"), with_effects=True)
    (as_new,) = stage.drain("analytics", "figures")
    assert as_new["detail"]["id"] == "event2"
    assert REPLAY_NAME not in as_new


def test_what_a_broken_off_replay_left_behind_is_thrown_away(stage: Stage) -> None:
    stage.publish(body(4), body(5))
    reading = stage.archive.read(whole())
    next(reading)
    reading.close()
    stage.drain("analytics", "figures")
    progress = run_replay(stage.archive, consumer_of("analytics", "figures"), EventFilter(type="tasks.task.created.v1"))
    assert progress.read - progress.unreadable == len(stage.drain("analytics", "figures"))


def test_bad_input_is_one_line(stage: Stage) -> None:
    now = datetime.now(UTC)
    with pytest.raises(RefusedError, match="must be before"):
        Span(now, now - timedelta(seconds=1))
    with pytest.raises(RefusedError, match=r"analytics has no subscription 'x'; it has figures, members"):
        consumer_of("analytics", "x")
    with pytest.raises(RefusedError, match="events of AWS"):
        consumer_of("files", "objects")
    with pytest.raises(RefusedError, match="has no archive"):
        archive_of(OperatedStage(stage.aws, Names("nowhere")))
    with pytest.raises(RefusedError, match="does not follow"):
        run_replay(stage.archive, consumer_of("analytics", "figures"), EventFilter(type="tasks.comment.added.v1"))
    with pytest.raises(RefusedError, match="3 dead letters"):
        refuse_while_dead_letters(consumer_of("analytics", "figures"), 3)


def test_a_projection_is_rebuilt_compared_and_swapped(stage: Stage) -> None:
    """Nobody has handled the archived events, so the live figures are empty and the rebuilt ones are not."""
    written = StringIO()
    out = Console(file=written, width=200)
    console, figures = OperatorConsole(out, out, yes=True), consumer_of("analytics", "figures")
    stage.publish(body(21, "org_rebuilt"), body(22, "org_rebuilt"))
    asyncio.run(rebuild_projection(stage.stage, console, figures, swap=False, drop=False))
    asyncio.run(rebuild_projection(stage.stage, console, figures, swap=True, drop=False))
    text = written.getvalue()
    assert "ORG#org_rebuilt#PROJECT#proj_1" in text
    assert "generation 1 is built, 0 is live" in text
    assert "generation 1 is live and complete" in text
    key = {"PK": {"S": "ORG#org_rebuilt#PROJECT@1#proj_1"}, "SK": {"S": "A"}}
    item = stage.aws.client("dynamodb").get_item(TableName="tenfold-test-analytics", Key=key)["Item"]
    assert item["created"] == {"N": "2"}
    asyncio.run(rebuild_projection(stage.stage, console, figures, swap=False, drop=True))
    assert "0 rows deleted" in written.getvalue()

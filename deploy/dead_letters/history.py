"""A stage's history: archived events, read through the one queue that replays go to.

EventBridge replays by time only, and an embedded one to every rule; so a replay goes not to a consumer but to a queue
of ours, where the command selects events. One replay of a stage runs at a time. A command that dies leaves at most some
events in that queue: they carry the name of their replay, and the next command throws them away.
"""

import json
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from pydantic import ValidationError

from chassis.messaging.dispatch import REPLAY_NAME
from contracts.event import Envelope
from deploy.dead_letters.target import OperatedStage, asking_aws
from deploy.errors import RefusedError, StackError

BATCH = 10
HOLD_SECONDS = 120
POLL_SECONDS = 2
STUCK_SECONDS = 900.0
"""After so long without an event or an end, a replay is given up."""
UNDER_WAY = frozenset({"STARTING", "RUNNING"})
ENDED_WELL = "COMPLETED"


@dataclass(frozen=True)
class ArchivedEvent:
    """One message of the archive as EventBridge replays it: `raw` is all of it, with the replay's name. `envelope` is
    None for a message that is not an event of ours: when it was live, its consumers refused it."""

    raw: dict[str, Any]
    envelope: Envelope | None


@dataclass(frozen=True)
class Span:
    """A time span, from `start` to `end`, of when the bus took the events."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise RefusedError(f"FROM {self.start.isoformat()} must be before TO {self.end.isoformat()}")


@dataclass(frozen=True)
class Archive:
    """The archive of a stage's bus. `quiet` is how long its queue must stay empty after the replay's end."""

    stage: OperatedStage
    arn: str
    bus_arn: str
    since: datetime
    quiet: float
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    def read(self, span: Span) -> Generator[ArchivedEvent, None, None]:
        """Every event of that time span, roughly in the order in which they happened; one can come twice.

        An event is gone from the queue once the next is asked for. Leaving early cancels the replay. Raises
        RefusedError while another replay runs, or StackError.
        """
        names = self.stage.names
        with asking_aws("list the replays"):
            for state in sorted(UNDER_WAY):
                running = self._events().list_replays(EventSourceArn=self.arn, State=state)["Replays"]
                if running:
                    raise RefusedError(f"the replay {running[0]['ReplayName']} is under way; wait until it has ended")
        name = f"{names.prefix}-{uuid.uuid4().hex[:12]}"
        with asking_aws(f"find the rule {names.history}"):
            rule = self._events().describe_rule(Name=names.history, EventBusName=names.bus)["Arn"]
        with asking_aws("start the replay"):
            self._events().start_replay(
                ReplayName=name,
                EventSourceArn=self.arn,
                EventStartTime=span.start,
                EventEndTime=span.end,
                Destination={"Arn": self.bus_arn, "FilterArns": [str(rule)]},
            )
        done = False
        try:
            yield from self._receive(name)
            done = True
        finally:
            if not done:
                with asking_aws(f"cancel the replay {name}; it ends by itself, into a queue that nobody else reads"):
                    if not self._has_ended(name):
                        self._events().cancel_replay(ReplayName=name)

    def _receive(self, name: str) -> Iterator[ArchivedEvent]:
        sqs, names = self.stage.aws.client("sqs"), self.stage.names
        with asking_aws(f"read the queue {names.history}"):
            url = sqs.get_queue_url(QueueName=names.history)["QueueUrl"]
        last = self.clock()
        while True:
            ended = self._has_ended(name)
            with asking_aws(f"read the queue {names.history}"):
                messages = sqs.receive_message(
                    QueueUrl=url,
                    MaxNumberOfMessages=BATCH,
                    WaitTimeSeconds=POLL_SECONDS,
                    VisibilityTimeout=HOLD_SECONDS,
                ).get("Messages", [])
            for message in messages:
                archived = parse_message(message["Body"], name)
                if archived is not None:
                    last = self.clock()
                    yield archived
                with asking_aws(f"empty the queue {names.history}"):
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            silent = self.clock() - last
            if not messages and ended and silent >= self.quiet:
                return
            if silent > STUCK_SECONDS:
                raise StackError(f"the replay {name} gave nothing for {STUCK_SECONDS:.0f} s; try it again")

    def _has_ended(self, name: str) -> bool:
        with asking_aws("ask for the replay"):
            answer = self._events().describe_replay(ReplayName=name)
        state: str = answer["State"]
        if state not in UNDER_WAY | {ENDED_WELL}:
            raise StackError(f"the replay {name} is {state}: {answer.get('StateReason', 'no reason given')}")
        return state == ENDED_WELL

    def _events(self) -> Any:
        return self.stage.aws.client("events")


def archive_of(stage: OperatedStage) -> Archive:
    """Raises RefusedError if the stage has no archive, or StackError."""
    events, names = stage.aws.client("events"), stage.names
    try:
        answer = events.describe_archive(ArchiveName=names.archive)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise StackError(f"cannot find the archive {names.archive}: {error}") from error
        raise RefusedError(f"stage {names.stage} has no archive; `make deploy` makes it") from None
    quiet = 1.0 if stage.is_embedded else 30.0
    since = answer["CreationTime"].astimezone(UTC)
    return Archive(stage, answer["ArchiveArn"], answer["EventSourceArn"], since, quiet)


def parse_message(body: str, name: str) -> ArchivedEvent | None:
    """The archived event in a message of the replay `name`; None for what another replay left behind."""
    raw = json.loads(body)
    if raw.get(REPLAY_NAME) != name:
        return None
    try:
        return ArchivedEvent(raw, Envelope.model_validate(raw.get("detail")))
    except ValidationError:
        return ArchivedEvent(raw, None)

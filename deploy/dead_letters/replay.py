"""Replays history to one consumer: it fills gaps, because the inbox absorbs what the consumer has handled already."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from chassis.declare.service import service
from chassis.declare.subscription import AnySubscription, Subscription
from chassis.messaging.dispatch import REPLAY_NAME
from contracts.event import Envelope
from deploy.dead_letters.history import Archive, Span
from deploy.dead_letters.target import asking_aws
from deploy.errors import RefusedError
from deploy.services import require_service


@dataclass(frozen=True)
class Consumer:
    """One subscription to our own events."""

    service: str
    subscription: Subscription

    @property
    def name(self) -> str:
        return f"{self.service}.{self.subscription.name}"

    def follows(self, event_type: str) -> bool:
        return self.subscription.any_handler is not None or event_type in self.subscription.types


@dataclass(frozen=True)
class EventFilter:
    """Which part of a consumer's history. None is any."""

    org: str | None = None
    type: str | None = None

    def __call__(self, event: Envelope) -> bool:
        return self.org in {None, event.orgid} and self.type in {None, event.type}


@dataclass
class ReplayProgress:
    """How far a replay is: messages read of the archive, those of them that are not events, and events handed on, by
    type."""

    read: int = 0
    unreadable: int = 0
    sent: Counter[str] = field(default_factory=Counter)


def consumer_of(service_name: str, subscription: str) -> Consumer:
    """The consumer by its service and its subscription's name, with the service's name before it or without.

    Raises DeployError, naming those that exist, for one that does not exist or has no history.
    """
    name = subscription.removeprefix(f"{service_name}.")
    by_name: dict[str, AnySubscription] = {
        each.name: each for each in service(require_service(service_name)).load_subscriptions()
    }
    if name not in by_name:
        raise RefusedError(f"{service_name} has no subscription {name!r}; it has {', '.join(sorted(by_name))}")
    followed = by_name[name]
    if not isinstance(followed, Subscription):
        raise RefusedError(f"{service_name}.{name} follows events of AWS, which no archive of ours keeps")
    return Consumer(service_name, followed)


def replay(
    archive: Archive,
    consumer: Consumer,
    span: Span,
    wanted: EventFilter,
    *,
    rate: float,
    with_effects: bool,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[ReplayProgress]:
    """Hand the wanted part of the history on to the consumer's queue, one event at a time; yields after each one read.

    Consumers recognize a replayed event and let nothing leave us for it; `with_effects` hands it on as if it were new.
    Raises RefusedError before anything is sent, or StackError.
    """
    followed = consumer.subscription.types
    if wanted.type is not None and not consumer.follows(wanted.type):
        raise RefusedError(f"{consumer.name} does not follow {wanted.type}; it follows {', '.join(followed)}")
    stage, progress = archive.stage, ReplayProgress()
    sqs, queue = stage.aws.client("sqs"), stage.names.queue(consumer.service, consumer.subscription.name)
    with asking_aws(f"find the queue {queue}"):
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    with closing(archive.read(span)) as history:
        for archived in history:
            progress.read += 1
            event = archived.envelope
            if event is None:
                progress.unreadable += 1
            elif consumer.follows(event.type) and wanted(event):
                raw = {
                    name: value for name, value in archived.raw.items() if not (with_effects and name == REPLAY_NAME)
                }
                with asking_aws(f"send to {queue}; repeat the replay, what was handled is absorbed"):
                    sqs.send_message(
                        QueueUrl=url, MessageBody=json.dumps(raw, ensure_ascii=False), MessageGroupId=event.orgid
                    )
                progress.sent[event.type] += 1
                pause(1 / rate)
            yield progress


def refuse_while_dead_letters(consumer: Consumer, count: int) -> None:
    """A replay without effects would handle events that lie among the dead letters, and their e-mails would never be
    sent. Raises RefusedError."""
    if count:
        raise RefusedError(
            f"{count} dead letters of {consumer.name} wait to be redriven or dropped, and a replay would use up their "
            "effects; do that first (`make dlq`), or say WITH_EFFECTS=1"
        )

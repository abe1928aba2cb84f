"""Feeding history into one consumer: it fills holes, for what the consumer has handled its inbox absorbs."""

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
from deploy.services import checked
from deploy.stage.errors import RefusedError


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
class Chosen:
    """Which part of a consumer's history. None is any."""

    org: str | None = None
    type: str | None = None

    def __call__(self, event: Envelope) -> bool:
        return self.org in {None, event.orgid} and self.type in {None, event.type}


@dataclass
class Fed:
    """How far a replay is: events read of the archive, those of them that are none, and those handed on, by type."""

    read: int = 0
    unreadable: int = 0
    sent: Counter[str] = field(default_factory=Counter)


def consumer(service_name: str, subscription: str) -> Consumer:
    """Raises DeployError, naming those there are, for what there is not or has no history."""
    found: dict[str, AnySubscription] = {one.name: one for one in service(checked(service_name)).load_subscriptions()}
    if subscription not in found:
        raise RefusedError(f"{service_name} has no subscription {subscription!r}; it has {', '.join(sorted(found))}")
    wanted = found[subscription]
    if not isinstance(wanted, Subscription):
        raise RefusedError(f"{service_name}.{subscription} follows events of AWS, which no archive of ours keeps")
    return Consumer(service_name, wanted)


def replay(
    archive: Archive, to: Consumer, span: Span, chosen: Chosen, *, rate: float, with_effects: bool,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Fed]:  # fmt: skip
    """Hand what is chosen of the history on to the consumer's queue, one by one; yields after each event read.

    Consumers know a replayed event and let nothing leave us for it; `with_effects` hands it on as if it were new.
    Raises RefusedError before anything is sent, or StackError.
    """
    if chosen.type is not None and not to.follows(chosen.type):
        raise RefusedError(f"{to.name} does not follow {chosen.type}; it follows {', '.join(to.subscription.types)}")
    where, fed = archive.where, Fed()
    sqs, queue = where.aws.client("sqs"), where.names.queue(to.service, to.subscription.name)
    with asking_aws(f"find the queue {queue}"):
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    with closing(archive.read(span)) as pasts:
        for past in pasts:
            fed.read += 1
            event = past.envelope
            if event is None:
                fed.unreadable += 1
            elif to.follows(event.type) and chosen(event):
                raw = {name: value for name, value in past.raw.items() if not (with_effects and name == REPLAY_NAME)}
                with asking_aws(f"send to {queue}; repeat the replay, what was handled is absorbed"):
                    sqs.send_message(
                        QueueUrl=url,
                        MessageBody=json.dumps(raw, ensure_ascii=False),
                        MessageGroupId=event.orgid,
                    )
                fed.sent[event.type] += 1
                pause(1 / rate)
            yield fed


def refuse_with_letters(to: Consumer, letters: int) -> None:
    """A replay without effects would handle what lies among the dead letters, and its e-mails would never be sent."""
    if letters:
        raise RefusedError(
            f"{letters} dead letters of {to.name} wait to be redriven or dropped, and a replay would use up their "
            "effects; do that first (`make dlq`), or say WITH_EFFECTS=1"
        )

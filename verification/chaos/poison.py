"""Poison messages: put directly into queues and on the bus, each with the dead-letter queue where it must end."""

import json
import random
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import uuid_utils

from chassis.declare.service import service
from chassis.declare.subscription import Subscription
from deploy.embedded.emulator import Emulator
from verification.chaos.stage import ChaosStage
from verification.simulation.queues import matches

HUGE = 200_000
Event = dict[str, Any]


def event(type_: str = "tasks.task.created.v1", **changed: Any) -> Event:
    """A bus event that is valid except for what is changed in its `detail`."""
    owner = f"tenfold.{type_.partition('.')[0]}"
    detail = {
        "specversion": "1.0",
        "id": uuid_utils.uuid7().hex,
        "source": owner,
        "type": type_,
        "time": datetime.now(UTC).isoformat(),
        "subject": "task_forged",
        "datacontenttype": "application/json",
        "dataschema": f"contracts/schemas/{type_}.json",
        "orgid": "org_forged",
        "actor": "user_forged",
        "aggregateversion": 1,
        "correlationid": "forged",
        "data": {
            "task_id": "task_forged",
            "project_id": "proj_forged",
            "number": 1,
            "title": "forged",
            "status": "open",
            "priority": "low",
        },
    }
    return {"source": owner, "detail-type": type_, "detail": detail | changed}


def _with_forged_owner() -> Event:
    return event() | {"source": "tenfold.analytics"}


BODIES: dict[str, Callable[[], str]] = {
    "not JSON": lambda: '{"detail": "no event"',
    "a list": lambda: "[1, 2, 3]",
    "null": lambda: "null",
    "no detail": lambda: json.dumps({"source": "tenfold.tasks"}),
    "no envelope": lambda: json.dumps(event() | {"detail": {"id": "1"}}),
    "forged organization": lambda: json.dumps(event(orgid="org_x#TASK#../../org_other")),
    "forged owner": lambda: json.dumps(_with_forged_owner()),
    "forged source": lambda: json.dumps(event(source="tenfold.evil")),
    "too deep": lambda: "[" * 50_000,
    "huge": lambda: "x" * HUGE,
    "huge envelope": lambda: json.dumps(event(time="y" * HUGE)),
}
UNKNOWN = "tasks.task.exploded.v1"
BUS: dict[str, Callable[[], Event]] = {
    "forged owner": _with_forged_owner,
    "forged source": lambda: event(source="tenfold.evil"),
    "forged organization": lambda: event(orgid="org_x#TASK#1"),
}


class Poisoner:
    """Puts poison into the queues and on the bus of a stage. Calls block."""

    def __init__(self, emulator: Emulator, stage: ChaosStage, seed: int) -> None:
        self._sqs, self._events = emulator.aws.client("sqs"), emulator.aws.client("events")
        self._names, self._dice = stage.names, random.Random(seed)
        self._subscriptions = [
            (name, each)
            for name in stage.fleet.services
            for each in service(name).load_subscriptions()
            if isinstance(each, Subscription)
        ]
        self.sent: dict[str, set[str]] = defaultdict(set)
        """Queue -> ids of the messages that were put into it."""
        self.on_bus: dict[str, set[str]] = defaultdict(set)
        """Queue -> ids of the events that a rule routed to it."""

    @property
    def count(self) -> int:
        """Number of poison messages; one event on the bus may become several."""
        return sum(map(len, (*self.sent.values(), *self.on_bus.values())))

    def strike(self) -> None:
        """Send one more, of a random kind to a random queue or to the bus."""
        if self._dice.random() < 0.25:
            forged = self._dice.choice(list(BUS.values()))()
            entry = {
                "EventBusName": self._names.bus,
                "Source": forged["source"],
                "DetailType": forged["detail-type"],
                "Detail": json.dumps(forged["detail"]),
            }
            self._events.put_events(Entries=[entry])
            for name, subscription in self._subscriptions:
                if matches(subscription.pattern, forged, {}):
                    self.on_bus[self._names.queue(name, subscription.name)].add(forged["detail"]["id"])
            return
        name, subscription = self._dice.choice(self._subscriptions)
        bodies = list(BODIES.values())
        if subscription.any_handler is None:  # audit stores unknown events, so they are not poison there
            bodies.append(lambda: json.dumps(event(UNKNOWN)))
        self.put(name, subscription.name, self._dice.choice(bodies)())

    def put(self, name: str, subscription: str, body: str) -> None:
        queue = self._names.queue(name, subscription)
        url = self._sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        self.sent[queue].add(self._sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"])

"""SQS and EventBridge in memory: rules by pattern, visibility, receive counts, dead letters."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chassis.declare.subscription import AnySubscription


@dataclass
class Message:
    """`handle` names the latest receipt: SQS takes orders only from that."""

    id: str
    body: str
    visible_at: datetime
    sent_at: datetime
    receives: int = 0
    handle: int = 0


@dataclass
class DeadLetter:
    """`reason` is why a consumer rejected it; None when its receives were used up."""

    source_id: str
    body: str
    reason: str | None
    receives: int


@dataclass
class Queue:
    """One subscription's queue with its dead-letter queue. `made` numbers its messages and receipts."""

    name: str
    visibility: int
    max_receives: int
    messages: dict[str, Message] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    made: int = 0

    @classmethod
    def of(cls, service: str, subscription: AnySubscription) -> "Queue":
        return cls(f"{service}.{subscription.name}", subscription.visibility, subscription.max_receives)

    def send(self, body: str, now: datetime) -> Message:
        self.made += 1
        message = Message(f"{self.name}/{self.made}", body, now, now)
        self.messages[message.id] = message
        return message

    def visible(self, now: datetime) -> list[Message]:
        return [message for message in self.messages.values() if message.visible_at <= now]

    def take(self, message_id: str, now: datetime) -> tuple[Message, int] | None:
        """Receive that message: it and its receipt. None if it is not to be had; one received too often is moved."""
        message = self.messages.get(message_id)
        if message is None or message.visible_at > now:
            return None
        if message.receives >= self.max_receives:
            del self.messages[message_id]
            self.dead.append(DeadLetter(message.id, message.body, None, message.receives))
            return None
        self.made += 1
        message.receives += 1
        message.handle = self.made
        message.visible_at = now + timedelta(seconds=self.visibility)
        return message, message.handle

    def delete(self, message_id: str, handle: int) -> None:
        """An outdated receipt is answered with success and does nothing."""
        message = self.messages.get(message_id)
        if message is not None and message.handle == handle:
            del self.messages[message_id]

    def hide(self, message_id: str, handle: int, until: datetime) -> None:
        message = self.messages.get(message_id)
        if message is not None and message.handle == handle:
            message.visible_at = until

    def bury(self, letter: DeadLetter) -> None:
        self.dead.append(letter)


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any], resources: Mapping[str, str]) -> bool:
    """Whether EventBridge's rule with `pattern` takes `event`. `resources` is what {"Ref": name} stands for."""
    return all(_field_matches(wanted, event.get(name), resources) for name, wanted in pattern.items())


def _field_matches(wanted: Any, value: Any, resources: Mapping[str, str]) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and matches(wanted, value, resources)
    return any(_alternative_matches(each, value, resources) for each in wanted)


def _alternative_matches(wanted: Any, value: Any, resources: Mapping[str, str]) -> bool:
    match wanted:
        case {"prefix": prefix}:
            return isinstance(value, str) and value.startswith(prefix)
        case {"suffix": suffix}:
            return isinstance(value, str) and value.endswith(suffix)
        case {"Ref": name}:
            return bool(value == resources[name])
        case str():
            return bool(value == wanted)
        case _:
            raise NotImplementedError(f"the simulation does not know the pattern {json.dumps(wanted)}")

"""SQS and EventBridge in memory: rules with patterns, visibility timeouts, receive counts, dead letters."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chassis.declare.subscription import AnySubscription


@dataclass
class Message:
    """A message in a queue. `handle` is the receipt handle of the latest receive, the only one that SQS accepts."""

    id: str
    body: str
    visible_at: datetime
    sent_at: datetime
    receives: int = 0
    handle: int = 0


@dataclass
class DeadLetter:
    """A dead letter. `reason` is the consumer's reason to reject it; None if its receives ran out."""

    source_id: str
    body: str
    reason: str | None
    receives: int


@dataclass
class Queue:
    """The queue of a subscription with its dead-letter queue. `count` numbers its messages and receipts."""

    name: str
    visibility: int
    max_receives: int
    messages: dict[str, Message] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    count: int = 0

    @classmethod
    def of(cls, service: str, subscription: AnySubscription) -> "Queue":
        return cls(f"{service}.{subscription.name}", subscription.visibility, subscription.max_receives)

    def send(self, body: str, now: datetime) -> Message:
        self.count += 1
        message = Message(f"{self.name}/{self.count}", body, now, now)
        self.messages[message.id] = message
        return message

    def visible(self, now: datetime) -> list[Message]:
        return [message for message in self.messages.values() if message.visible_at <= now]

    def take(self, message_id: str, now: datetime) -> tuple[Message, int] | None:
        """Receive one message: the message and its receipt handle, or None if it is invisible or gone.

        A message without receives left becomes a dead letter.
        """
        message = self.messages.get(message_id)
        if message is None or message.visible_at > now:
            return None
        if message.receives >= self.max_receives:
            del self.messages[message_id]
            self.dead_letters.append(DeadLetter(message.id, message.body, None, message.receives))
            return None
        self.count += 1
        message.receives += 1
        message.handle = self.count
        message.visible_at = now + timedelta(seconds=self.visibility)
        return message, message.handle

    def delete(self, message_id: str, handle: int) -> None:
        """Delete a message; with an outdated receipt handle, succeed without an effect."""
        message = self.messages.get(message_id)
        if message is not None and message.handle == handle:
            del self.messages[message_id]

    def hide(self, message_id: str, handle: int, until: datetime) -> None:
        """Change a message's visibility timeout; with an outdated receipt handle, succeed without an effect."""
        message = self.messages.get(message_id)
        if message is not None and message.handle == handle:
            message.visible_at = until

    def add_dead_letter(self, dead_letter: DeadLetter) -> None:
        self.dead_letters.append(dead_letter)


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any], resources: Mapping[str, str]) -> bool:
    """Whether a rule of EventBridge with `pattern` matches `event`. `resources` are the values of {"Ref": name}."""

    def field_matches(wanted: Any, value: Any) -> bool:
        if isinstance(wanted, Mapping):
            return isinstance(value, Mapping) and matches(wanted, value, resources)
        return any(_alternative_matches(each, value, resources) for each in wanted)

    return all(field_matches(wanted, event.get(name)) for name, wanted in pattern.items())


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
            raise NotImplementedError(f"the simulation does not support the pattern {json.dumps(wanted)}")

"""A dead letter: the message, its organization, and why it could not be handled."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from faststream_sqs.settlement import REASON, SOURCE_MESSAGE_ID
from pydantic import ValidationError

from contracts.catalog import load_all
from contracts.common import SYSTEM_ORG
from contracts.event import SOURCE_PREFIX, Envelope

NO_REASON = "no reason given: each time, its process died or hung"
ERROR_CODE, ERROR_MESSAGE = "ERROR_CODE", "ERROR_MESSAGE"
"""Attributes in which EventBridge and Scheduler say why they could not deliver."""
NOT_THE_SENDERS = frozenset(
    {
        REASON,
        SOURCE_MESSAGE_ID,
        ERROR_CODE,
        ERROR_MESSAGE,
        "RULE_ARN",
        "TARGET_ARN",
        "EXHAUSTED_RETRY_CONDITION",
        "RETRY_ATTEMPTS",
    }
)
"""Attributes that a dead letter got when it became one."""
HIDDEN = "(secret)"
_PARTICULARS = re.compile(r"\b[a-z]+_[0-9a-z]+\b|\b[0-9a-f-]{12,}\b|\d+")


@dataclass(frozen=True)
class DeadLetter:
    """One message of a dead-letter queue. `receipt` is valid as long as its reader holds it."""

    subscription: str
    message_id: str
    receipt: str
    body: str
    attributes: Mapping[str, Any]
    receives: int
    sent_at: datetime

    @classmethod
    def of(cls, subscription: str, message: Mapping[str, Any]) -> "DeadLetter":
        """From ReceiveMessage's shape."""
        system = message.get("Attributes") or {}
        return cls(
            subscription=subscription,
            message_id=message["MessageId"],
            receipt=message["ReceiptHandle"],
            body=message["Body"],
            attributes=message.get("MessageAttributes") or {},
            receives=int(system.get("ApproximateReceiveCount", 1)),
            sent_at=datetime.fromtimestamp(int(system.get("SentTimestamp", 0)) / 1000, UTC),
        )

    @property
    def source_id(self) -> str:
        """The id of the message that could not be handled: the same for two dead letters that a crash made of one."""
        return self._attribute(SOURCE_MESSAGE_ID) or self.message_id

    @property
    def cause(self) -> str:
        """Why it is here, in the words of the sender."""
        if reason := self._attribute(REASON):
            return reason
        if code := self._attribute(ERROR_CODE):
            return f"{code}: {self._attribute(ERROR_MESSAGE) or ''}".rstrip(": ")
        return NO_REASON

    @property
    def kind_of_cause(self) -> str:
        """The cause without ids and numbers, so that dead letters of one cause are counted together."""
        return _PARTICULARS.sub("…", self.cause)

    @cached_property
    def raw(self) -> dict[str, Any]:
        """The parsed body; empty if that is not an object."""
        try:
            parsed = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return parsed if isinstance(parsed, dict) else {}

    @cached_property
    def envelope(self) -> Envelope | None:
        """The event in it, if it is one of ours and its source is the owner of its type."""
        try:
            envelope = Envelope.model_validate(self.raw.get("detail"))
        except ValidationError:
            return None
        owner = SOURCE_PREFIX + envelope.type.split(".", 1)[0]
        return envelope if self.raw.get("source") == envelope.source == owner else None

    @property
    def org(self) -> str:
        """The organization of its event; org_system if it does not credibly name one."""
        return self.envelope.orgid if self.envelope else SYSTEM_ORG

    @property
    def type(self) -> str:
        """The type of its event, or the detail type of any other message; empty if it has none."""
        return self.envelope.type if self.envelope else str(self.raw.get("detail-type") or "")

    @property
    def event_id(self) -> str:
        return self.envelope.id if self.envelope else ""

    @property
    def trace_id(self) -> str:
        """The trace of its publisher, which every attempt to handle it continues; empty if it was not traced."""
        parts = (self.envelope.traceparent or "").split("-") if self.envelope else []
        return parts[1] if len(parts) == 4 else ""

    @property
    def order(self) -> tuple[datetime, str]:
        """The sort key in which dead letters go back: as their events happened."""
        happened = self.envelope.time if self.envelope else self.sent_at
        return (happened if happened.tzinfo else happened.replace(tzinfo=UTC), self.event_id)

    @property
    def visible_body(self) -> dict[str, Any] | str:
        """Its body without the values that its contract keeps secret."""
        contract, detail = load_all().get(str(self.raw.get("detail-type"))), self.raw.get("detail")
        data = detail.get("data") if isinstance(detail, dict) else None
        if contract is None or not isinstance(detail, dict) or not isinstance(data, dict):
            return self.raw or self.body
        hidden = {name: HIDDEN if name in contract.secret_fields() else value for name, value in data.items()}
        return {**self.raw, "detail": {**detail, "data": hidden}}

    def as_json(self) -> dict[str, Any]:
        """Everything that is known of it, as JSON."""
        return {
            "subscription": self.subscription,
            "message_id": self.message_id,
            "source_message_id": self.source_id,
            "org": self.org,
            "type": self.type,
            "event_id": self.event_id,
            "error": self.cause,
            "trace_id": self.trace_id,
            "receives": self.receives,
            "sent_at": self.sent_at.isoformat(),
            "message": self.visible_body,
        }

    def as_message(self, body: str) -> dict[str, Any]:
        """SendMessage's parameters to send it back with `body`: the sender's attributes, and the id of the message that
        first carried the event."""
        attributes = {name: value for name, value in self.attributes.items() if name not in NOT_THE_SENDERS}
        source = {"DataType": "String", "StringValue": self.source_id}
        params: dict[str, Any] = {"MessageBody": body, "MessageAttributes": attributes | {SOURCE_MESSAGE_ID: source}}
        if self.envelope:
            params["MessageGroupId"] = self.org  # fair queues: as the rule sent it
        return params

    def _attribute(self, name: str) -> str:
        return str((self.attributes.get(name) or {}).get("StringValue") or "")


@dataclass(frozen=True)
class DeadLetterFilter:
    """The dead letters that a command selects. None is any; a cause is a part of its text."""

    org: str | None = None
    type: str | None = None
    cause: str | None = None

    def __call__(self, dead_letter: DeadLetter) -> bool:
        return (
            self.org in {None, dead_letter.org}
            and self.type in {None, dead_letter.type}
            and (self.cause is None or self.cause.casefold() in dead_letter.cause.casefold())
        )

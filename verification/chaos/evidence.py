"""The final state of a stage, read past its services: tables, dead letters, mailbox. All calls block."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from chassis.declare.service import service
from deploy.embedded.emulator_mailbox import Mail
from examples.first_day.holdings import Tables
from verification.chaos.stage import ChaosStage

HIDDEN_SECONDS = 600
SOURCE, REASON = "SourceMessageId", "Reason"
Item = dict[str, Any]


@dataclass(frozen=True)
class DeadLetter:
    """A dead letter. `source` is the message id that it had in its queue; `reason` is empty if its receives ran out."""

    queue: str
    body: str
    source: str
    reason: str

    @property
    def event_id(self) -> str | None:
        try:
            return str(json.loads(self.body)["detail"]["id"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return None


@dataclass
class Holdings:
    """Everything that the services of a stage have stored or sent."""

    items: dict[str, list[Item]]
    dead_letters: list[DeadLetter] = field(default_factory=list)
    mails: Counter[str] = field(default_factory=Counter)
    """E-mails by the id by which a receiver recognizes repeats."""

    def of(self, name: str, kind: str) -> list[Item]:
        """The items of a kind, of every organization."""
        return [item for item in self.items.get(name, ()) if f"#{kind}#" in f"{item['PK']}#"]

    @property
    def outbox(self) -> int:
        return sum(bool(item["PK"].startswith("OUTBOX#")) for items in self.items.values() for item in items)

    @property
    def unfinished_count(self) -> int:
        """Work that has begun and is not done: events to publish, e-mails to send, records to seal."""
        mails = [item for item in self.of("notify", "DELIVERY") if item["status"] == "pending"]
        records = [item for item in self.of("audit", "RECORD") if item.get("seq") is None]
        return self.outbox + len(mails) + len(records)


class Witness:
    """Reads the final state of one stage."""

    def __init__(self, stage: ChaosStage) -> None:
        self._stage, self._tables = stage, Tables(stage.emulator.aws, stage.name)
        self._sqs = stage.emulator.aws.client("sqs")
        self._dead_letters: list[DeadLetter] = []

    def waiting(self) -> int:
        """Messages in the queues, in flight or not; without dead letters."""
        return self._tables.depths()[0]

    def holdings(self) -> Holdings:
        tables = {name: self._tables.items(name) for name in self._stage.fleet.services}
        return Holdings(tables)

    def everything(self, mails: list[Mail]) -> Holdings:
        """The holdings, the dead letters and the e-mails. Dead letters stay invisible afterwards."""
        holdings = self.holdings()
        for name in self._stage.fleet.services:
            for subscription in service(name).load_subscriptions():
                self._read_dead_letters(name, subscription.name)
        holdings.dead_letters = list(self._dead_letters)
        holdings.mails = Counter(mail_id for mail in mails if (mail_id := mail.meta("x-event-id")))
        return holdings

    def _read_dead_letters(self, name: str, subscription: str) -> None:
        names = self._stage.names
        url = self._sqs.get_queue_url(QueueName=names.dead_letters(name, subscription))["QueueUrl"]
        while True:
            answer = self._sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=HIDDEN_SECONDS, MessageAttributeNames=["All"]
            )
            messages = answer.get("Messages", [])
            for message in messages:
                attributes = {key: value["StringValue"] for key, value in message.get("MessageAttributes", {}).items()}
                source = attributes.get(SOURCE, message["MessageId"])
                queue = names.queue(name, subscription)
                self._dead_letters.append(DeadLetter(queue, message["Body"], source, attributes.get(REASON, "")))
            if not messages:
                return

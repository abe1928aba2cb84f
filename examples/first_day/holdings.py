"""The holdings of the system at the end of the day, read from its tables and its mailbox as an operator would."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.declare.resource_names import Names
from chassis.storage.attribute_values import from_item
from deploy.aws import Aws
from deploy.embedded.emulator_mailbox import Mail
from examples.first_day.ledger import PROJECTIONS, Figures, Ledger

SERVICES = (*PROJECTIONS, "tenancy")
"""The services that take part in the day."""
SYSTEM = "org_system"


@dataclass
class Holdings:
    """The data of one day. What other days left in the same tables is not counted."""

    events: Counter[str] = field(default_factory=Counter)
    types: dict[str, str] = field(default_factory=dict)
    """Event id -> type."""
    accepted: dict[str, datetime] = field(default_factory=dict)
    """Event id -> the time when it was committed, together with the state that it reports."""
    claims: dict[str, dict[str, datetime]] = field(default_factory=dict)
    """Consumer -> event id -> the time when its effect was committed."""
    notifications: Counter[str] = field(default_factory=Counter)
    inboxes: Counter[str] = field(default_factory=Counter)
    """In-app notifications by user."""
    emails: Counter[str] = field(default_factory=Counter)
    repeated_emails: int = 0
    projects: dict[str, Figures] = field(default_factory=dict)
    people: dict[str, Figures] = field(default_factory=dict)
    members: dict[str, dict[tuple[str, str], tuple[str, bool]]] = field(default_factory=dict)
    """Service -> (org id, user id) -> (role, is still a member)."""
    files: dict[str, str] = field(default_factory=dict)
    tasks: int = 0
    imports: int = 0
    personal_orgs: int = 0
    assignments: dict[tuple[str, str], str] = field(default_factory=dict)
    """(task id, assignee id) -> event id."""
    outbox: int = 0

    def claims_by_type(self, consumer: str) -> Counter[str]:
        """The number of events of each type that a consumer has processed."""
        return Counter(self.types[event] for event in self.claims.get(consumer, {}) if event in self.types)


class Tables:
    """The tables and queues of one stage. All calls block: use it from a thread."""

    def __init__(self, aws: Aws, stage: str) -> None:
        self._names = Names(stage)
        self._dynamodb, self._sqs = aws.client("dynamodb"), aws.client("sqs")

    def bodies(self, queue_suffix: str = "-dlq") -> list[str]:
        """Bodies of messages in the dead-letter queues, at most ten per queue; the messages stay there."""
        urls = self._sqs.list_queues(QueueNamePrefix=self._names.prefix).get("QueueUrls", [])
        answers = [
            self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
            for url in urls
            if url.endswith(queue_suffix)
        ]
        return [message["Body"] for answer in answers for message in answer.get("Messages", [])]

    def items(self, service: str) -> list[dict[str, Any]]:
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._names.table(service))
        return [from_item(item) for page in pages for item in page["Items"]]

    def depths(self) -> tuple[int, int]:
        """The numbers of messages, waiting or in flight, in all queues and in all dead-letter queues."""
        waiting = dead = 0
        urls = self._sqs.list_queues(QueueNamePrefix=self._names.prefix).get("QueueUrls", [])
        for url in urls:
            wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            depth = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
            count = sum(int(value) for value in depth.values())
            if url.endswith(self._names.mailbox):
                continue  # the mailbox keeps people's e-mails
            if url.endswith("-dlq"):
                dead += count
            else:
                waiting += count
        return waiting, dead

    def holdings(self, ledger: Ledger, org_id: str, mails: Iterable[Mail]) -> Holdings:
        """The holdings of the day of `ledger`."""
        holdings = Holdings()
        tables = {service: self.items(service) for service in SERVICES}
        for item in tables["audit"]:
            if item["PK"].startswith("ORG#") and "#RECORD#" in item["PK"]:
                add_record(holdings, item, ledger)
        for service, items in tables.items():
            holdings.members[service] = {}
            for item in items:
                _add_item(holdings, service, item)
        holdings.members = {
            service: {key: state for key, state in members.items() if key[0] in ledger.orgs}
            for service, members in holdings.members.items()
        }
        for item in (each for items in tables.values() for each in items):
            if item["PK"].startswith(f"ORG#{org_id}#"):
                _add_org_item(holdings, item)
        holdings.personal_orgs = sum(
            bool(item.get("personal")) and item["owners"][0] in ledger.users
            for item in tables["tenancy"]
            if "owners" in item
        )
        copies = Counter(mail_id for mail in mails if (mail_id := mail.meta("x-event-id")))
        for mail_id, count in copies.items():
            event_type = holdings.types.get(mail_id.rpartition(".")[0])
            if event_type:
                holdings.emails[event_type] += 1
                holdings.repeated_emails += count - 1
        return holdings


def add_record(holdings: Holdings, item: dict[str, Any], ledger: Ledger) -> None:
    """Adds an audit record to the holdings if it belongs to the day."""
    if item["action"].partition(".")[0] not in SERVICES:
        return  # the service takes no part in the day: its own tests check what it does with the day's events
    data = item["data"] if isinstance(item["data"], dict) else json.loads(item["data"])
    is_ours = item["org_id"] in ledger.orgs or (
        item["org_id"] == SYSTEM
        and ({item["actor"], item["resource_id"]} & ledger.users or data.get("email", "").lower() in ledger.addresses)
    )
    if not is_ours:
        return
    holdings.events[item["action"]] += 1
    holdings.types[item["id"]] = item["action"]
    holdings.accepted[item["id"]] = datetime.fromisoformat(item["at"])
    if item["action"] == "tasks.task.assigned.v1":
        holdings.assignments[item["resource_id"], data["assignee_id"]] = item["id"]


def _add_item(holdings: Holdings, service: str, item: dict[str, Any]) -> None:
    family, _, rest = item["PK"].partition("#")
    if family == "OUTBOX":
        holdings.outbox += 1
    elif family == "INBOX":
        consumer, _, event_id = rest.partition("#")
        holdings.claims.setdefault(consumer, {})[event_id] = datetime.fromisoformat(item["claimed_at"])
    elif family == "ORG" and "#MEMBER#" in item["PK"]:
        org_id = rest.partition("#")[0]
        holdings.members[service][org_id, item["id"]] = (item["role"], item["active"])
    elif family == "USER" and item["SK"].startswith("MEMBERSHIP#"):
        user_id = rest.partition("#")[0]
        holdings.members[service][item["id"], user_id] = (item["role"], item["active"])


def _add_org_item(holdings: Holdings, item: dict[str, Any]) -> None:
    kind, _, identity = item["PK"].split("#", 2)[2].partition("#")
    match kind:
        case "NOTIFICATION":
            holdings.notifications[item["event_type"]] += 1
            holdings.inboxes[item["user_id"]] += 1
        case "FILE" if "status" in item:
            holdings.files[item["id"]] = item["status"]
        case "PROJECT" if "created" in item:
            holdings.projects[identity] = Figures(created=item["created"], open=item["open"], done=item["done"])
        case "PERSON":
            holdings.people[identity] = Figures(assigned=item.get("assigned", 0), open=item["open"], done=item["done"])
        case "TASK" if item["SK"] == "A" and "title" in item:
            holdings.tasks += 1
        case "IMPORT" if item.get("status") == "completed":
            holdings.imports += 1

"""SQS and EventBridge in memory, as far as the operators' commands use them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from deploy.aws import Aws


@dataclass
class Stored:
    message_id: str
    body: str
    attributes: dict[str, Any]
    group: str | None = None
    receives: int = 0
    hidden_until: float = 0.0
    receipt: str = ""


@dataclass
class MemorySqs:
    """Queues by URL. `now` moves only by hand; `fail` is asked before each call and may raise."""

    queues: dict[str, dict[str, Stored]] = field(default_factory=dict)
    now: float = 1_795_000_000.0
    made: int = 0
    fail: Callable[[str], None] = lambda _: None

    def get_paginator(self, operation: str) -> "MemorySqs":
        assert operation == "list_queues"
        return self

    def paginate(self, *, QueueNamePrefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        yield {"QueueUrls": [url for url in self.queues if url.rpartition("/")[2].startswith(QueueNamePrefix)]}

    def send_message(self, **params: Any) -> dict[str, Any]:
        self.fail("send_message")
        self.made += 1
        attributes = params.get("MessageAttributes", {})
        assert len(attributes) <= 10
        stored = Stored(f"message{self.made}", params["MessageBody"], attributes, params.get("MessageGroupId"))
        self.queues[params["QueueUrl"]][stored.message_id] = stored
        return {"MessageId": stored.message_id}

    def receive_message(self, **params: Any) -> dict[str, Any]:
        self.fail("receive_message")
        visible = [one for one in self.queues[params["QueueUrl"]].values() if one.hidden_until <= self.now]
        for one in (taken := visible[: params["MaxNumberOfMessages"]]):
            self.made += 1
            one.receives += 1
            one.hidden_until, one.receipt = self.now + params["VisibilityTimeout"], f"receipt{self.made}"
        messages = [
            {
                "MessageId": one.message_id,
                "ReceiptHandle": one.receipt,
                "Body": one.body,
                "Attributes": {
                    "ApproximateReceiveCount": str(one.receives),
                    "SentTimestamp": str(int(self.now * 1000)),
                },
                "MessageAttributes": one.attributes,
            }
            for one in taken
        ]
        return {"Messages": messages} if taken else {}

    def change_message_visibility_batch(self, **params: Any) -> dict[str, Any]:
        self.fail("change_message_visibility_batch")
        assert 1 <= len(params["Entries"]) <= 10
        for entry in params["Entries"]:
            if (one := self._find(params["QueueUrl"], entry["ReceiptHandle"])) is not None:
                one.hidden_until = self.now + entry["VisibilityTimeout"]
        return {}

    def delete_message(self, **params: Any) -> dict[str, Any]:
        self.fail("delete_message")
        if (one := self._find(params["QueueUrl"], params["ReceiptHandle"])) is not None:
            del self.queues[params["QueueUrl"]][one.message_id]
        return {}

    def _find(self, url: str, receipt: str) -> Stored | None:
        return next((one for one in self.queues[url].values() if one.receipt == receipt), None)


@dataclass
class MemoryEvents:
    entries: list[dict[str, Any]] = field(default_factory=list)
    refuses: bool = False

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        if self.refuses:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "Throttled", "ErrorMessage": "too much"}]}
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}


class MemoryAws(Aws):
    """An account with nothing else than these."""

    def __init__(self, *queues: str) -> None:
        super().__init__("http://127.0.0.1:9")
        sqs = MemorySqs({f"http://sqs/1/{name}": {} for name in queues})
        object.__setattr__(self, "sqs", sqs)
        object.__setattr__(self, "events", MemoryEvents())

    sqs: MemorySqs
    events: MemoryEvents

    def client(self, service: str) -> Any:
        return {"sqs": self.sqs, "events": self.events}[service]


def refusal(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "InternalError", "Message": "down"}}, operation)

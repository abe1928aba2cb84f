"""Events and context of Lambda, in the format of an SQS event source."""

import time
from dataclasses import dataclass, field
from typing import Any


def record(body: str, message_id: str = "", *, queue: str = "q", group: str | None = None, receives: int = 1) -> Any:
    attributes = {"ApproximateReceiveCount": str(receives), "SentTimestamp": "1700000000000"}
    name = message_id or body
    return {
        "messageId": name,
        "receiptHandle": f"receipt of {name}",
        "body": body,
        "attributes": attributes | ({"MessageGroupId": group} if group else {}),
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:eu-central-1:1:{queue}",
        "awsRegion": "eu-central-1",
    }


def event(*bodies: str, **options: Any) -> dict[str, Any]:
    return {"Records": [record(body, **options) for body in bodies]}


def failed_ids(answer: dict[str, Any]) -> list[str]:
    return [entry["itemIdentifier"] for entry in answer["batchItemFailures"]]


@dataclass
class Context:
    """A Lambda context with a timeout in seconds."""

    seconds: float
    began: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        return int((self.began + self.seconds - time.monotonic()) * 1000)

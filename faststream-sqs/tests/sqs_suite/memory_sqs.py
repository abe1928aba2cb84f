"""SQS in memory with several queues and an adjustable length of a second: a backend of the conformance suite."""

import asyncio
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from awsjson import AwsError

ARN = "arn:aws:sqs:eu-central-1:000000000000:"
URL = "http://memory/0/"


@dataclass
class Message:
    params: Mapping[str, Any]
    message_id: str
    visible_at: float
    receives: int = 0
    receipt: str = ""

    @property
    def group(self) -> str | None:
        group: str | None = self.params.get("MessageGroupId")
        return group


@dataclass
class Queue:
    name: str
    attributes: dict[str, str]
    tags: dict[str, str]
    messages: list[Message] = field(default_factory=list)

    @property
    def fifo(self) -> bool:
        return self.name.endswith(".fifo")


@dataclass
class MemorySQS:
    """A Transport to queues in memory. `second` is the real length of one of its seconds."""

    second: float = 1.0
    queues: dict[str, Queue] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]:
        assert service == "sqs"
        await asyncio.sleep(0)
        if operation in ("CreateQueue", "ListQueues", "GetQueueUrl"):
            return dict(getattr(self, operation)(params))
        queue = self.queue(params["QueueUrl"].removeprefix(URL))
        if operation == "ReceiveMessage":
            return await self.receive(queue, params)
        return dict(getattr(self, operation)(queue, params))

    def now(self) -> float:
        return asyncio.get_running_loop().time() / self.second

    def queue(self, name: str) -> Queue:
        if name not in self.queues:
            raise AwsError("QueueDoesNotExist", status=400)
        return self.queues[name]

    def CreateQueue(self, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        name, attributes = params["QueueName"], dict(params.get("Attributes") or {})
        queue = self.queues.setdefault(name, Queue(name, attributes, dict(params.get("tags") or {})))
        if attributes and attributes != queue.attributes:
            raise AwsError("QueueNameExists", status=400)
        return {"QueueUrl": URL + name}

    def ListQueues(self, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"QueueUrls": [URL + name for name in self.queues]}

    def ListQueueTags(self, queue: Queue, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Tags": queue.tags}

    def GetQueueUrl(self, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"QueueUrl": URL + self.queue(params["QueueName"]).name}

    def GetQueueAttributes(self, queue: Queue, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        visible = [message for message in queue.messages if message.visible_at <= self.now()]
        known = {
            "VisibilityTimeout": "30",
            "QueueArn": ARN + queue.name,
            "ApproximateNumberOfMessages": str(len(visible)),
            "ApproximateNumberOfMessagesNotVisible": str(len(queue.messages) - len(visible)),
        } | queue.attributes
        return {"Attributes": {name: known[name] for name in params["AttributeNames"] if name in known}}

    def SendMessage(self, queue: Queue, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        message = Message(params, f"m{next(self.numbers)}", self.now() + params.get("DelaySeconds", 0))
        queue.messages.append(message)
        return {"MessageId": message.message_id}

    def SendMessageBatch(self, queue: Queue, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Successful": [{"Id": e["Id"], **self.SendMessage(queue, e)} for e in params["Entries"]]}

    async def receive(self, queue: Queue, params: Mapping[str, Any]) -> dict[str, Any]:
        deadline = self.now() + params.get("WaitTimeSeconds", 0)
        while not (messages := self.take(queue, params)) and self.now() < deadline:
            await asyncio.sleep(0.005)
        return {"Messages": messages} if messages else {}

    def take(self, queue: Queue, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        self.redrive(queue)
        now = self.now()
        taken: list[dict[str, Any]] = []
        busy = {m.group for m in queue.messages if queue.fifo and m.visible_at > now and m.receives}
        for message in list(queue.messages):
            if message.visible_at > now or message.group in busy or len(taken) == params["MaxNumberOfMessages"]:
                continue
            message.receives += 1
            message.receipt = f"{message.message_id}/{message.receives}"
            message.visible_at = now + params.get("VisibilityTimeout", 30)
            taken.append(self.shape(message))
        return taken

    def redrive(self, queue: Queue) -> None:
        policy = json.loads(queue.attributes.get("RedrivePolicy", "{}"))
        for message in list(queue.messages) if policy else ():
            if message.receives >= int(policy["maxReceiveCount"]) and message.visible_at <= self.now():
                queue.messages.remove(message)
                self.queue(policy["deadLetterTargetArn"].removeprefix(ARN)).messages.append(message)

    def shape(self, message: Message) -> dict[str, Any]:
        system = {"ApproximateReceiveCount": str(message.receives), "SentTimestamp": "1700000000000"}
        return {
            "Body": message.params["MessageBody"],
            "MessageId": message.message_id,
            "ReceiptHandle": message.receipt,
            "Attributes": system | ({"MessageGroupId": message.group} if message.group else {}),
            "MessageAttributes": message.params.get("MessageAttributes", {}),
        }

    def DeleteMessage(self, queue: Queue, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        queue.messages = [m for m in queue.messages if m.receipt != params["ReceiptHandle"]]
        return {}

    def DeleteMessageBatch(self, queue: Queue, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        for entry in params["Entries"]:
            self.DeleteMessage(queue, entry)
        return {"Successful": [{"Id": entry["Id"]} for entry in params["Entries"]]}

    def ChangeMessageVisibilityBatch(self, queue: Queue, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        for entry in params["Entries"]:
            for message in queue.messages:
                if message.receipt == entry["ReceiptHandle"]:
                    message.visible_at = self.now() + entry["VisibilityTimeout"]
        return {"Successful": [{"Id": entry["Id"]} for entry in params["Entries"]]}

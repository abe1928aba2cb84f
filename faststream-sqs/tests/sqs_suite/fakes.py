"""A fake SQS in a few lines, with the faults that the runtime must cope with."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from awsjson import AwsError


@dataclass
class Stored:
    """A message in the fake queue, visible from a time on until it is deleted."""

    body: str
    message_id: str
    group: str | None = None
    visible_at: float = 0.0
    receipt: str = ""
    receives: int = 0
    deleted: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass
class FakeSQS:
    """A transport with one queue `q`; messages to other queues are in `sent`."""

    visibility: int = 30
    redrive: str = ""
    messages: list[Stored] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    missing: bool = False
    fault: Callable[[str, Mapping[str, Any]], Exception | None] = lambda operation, params: None
    fail_entries: Callable[[str, int], dict[str, Any] | None] = lambda operation, index: None

    def put(self, *bodies: str, group: str | None = None) -> None:
        for body in bodies:
            self.messages.append(Stored(body, f"m{len(self.messages)}", group))

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def left(self) -> list[str]:
        return [message.body for message in self.messages if not message.deleted]

    def visible(self) -> list[str]:
        return [m.body for m in self.messages if not m.deleted and m.visible_at <= self.now()]

    def count(self, operation: str) -> int:
        return sum(1 for name, _ in self.calls if name == operation)

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]:
        assert service == "sqs"
        assert timeout is not None, f"{operation} has no timeout"
        self.calls.append((operation, params))
        await asyncio.sleep(0)
        if (error := self.fault(operation, params)) is not None:
            raise error
        answer: dict[str, Any] = await getattr(self, f"_{operation}")(params)
        return answer

    async def _GetQueueUrl(self, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        if self.missing:
            raise AwsError("QueueDoesNotExist", status=400)
        return {"QueueUrl": f"http://sqs/0/{params['QueueName']}"}

    async def _GetQueueAttributes(self, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        redrive = {"RedrivePolicy": self.redrive} if self.redrive else {}
        return {"Attributes": {"VisibilityTimeout": str(self.visibility), **redrive}}

    async def _CreateQueue(self, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"QueueUrl": f"http://sqs/0/{params['QueueName']}"}

    async def _ReceiveMessage(self, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        deadline = self.now() + params["WaitTimeSeconds"]
        while not (messages := self._take(params)) and self.now() < deadline:
            await asyncio.sleep(0.005)
        return {"Messages": messages} if messages else {}

    def _take(self, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = []
        blocked = {m.group for m in self.messages if m.group and not m.deleted and m.visible_at > self.now()}
        for message in self.messages:
            if message.deleted or message.visible_at > self.now() or message.group in blocked:
                continue
            if len(taken) == params["MaxNumberOfMessages"]:
                break
            message.receives += 1
            message.receipt = f"{message.message_id}/{message.receives}"
            message.visible_at = self.now() + params["VisibilityTimeout"]
            system = {"ApproximateReceiveCount": str(message.receives), "SentTimestamp": "1700000000000"}
            taken.append(
                {
                    "Body": message.body,
                    "MessageId": message.message_id,
                    "ReceiptHandle": message.receipt,
                    "Attributes": system | ({"MessageGroupId": message.group} if message.group else {}),
                    "MessageAttributes": message.attributes,
                }
            )
        return taken

    async def _DeleteMessageBatch(self, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        def delete(message: Stored, entry: Mapping[str, Any]) -> None:
            message.deleted = True

        return self._each("DeleteMessageBatch", params, delete)

    async def _ChangeMessageVisibilityBatch(self, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        def change(message: Stored, entry: Mapping[str, Any]) -> None:
            message.visible_at = self.now() + entry["VisibilityTimeout"]

        return self._each("ChangeMessageVisibilityBatch", params, change)

    def _each(
        self, operation: str, params: Mapping[str, Any], act: Callable[[Stored, Mapping[str, Any]], None]
    ) -> dict[str, Any]:
        assert 1 <= len(params["Entries"]) <= 10
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for index, entry in enumerate(params["Entries"]):
            if failure := self.fail_entries(operation, index):
                answer["Failed"].append({"Id": entry["Id"], **failure})
                continue
            for message in self.messages:
                if message.receipt == entry["ReceiptHandle"]:
                    act(message, entry)
            answer["Successful"].append({"Id": entry["Id"]})
        return answer

    async def _SendMessage(self, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.sent.append(dict(params))
        return {"MessageId": f"s{len(self.sent)}"}

    async def _SendMessageBatch(self, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        assert 1 <= len(params["Entries"]) <= 10
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for index, entry in enumerate(params["Entries"]):
            if failure := self.fail_entries("SendMessageBatch", index):
                answer["Failed"].append({"Id": entry["Id"], **failure})
            else:
                self.sent.append(dict(entry))
                answer["Successful"].append({"Id": entry["Id"], "MessageId": f"s{entry['Id']}"})
        return answer

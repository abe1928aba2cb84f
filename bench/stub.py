"""Child process with a canned SQS, which answers endless batches of ten after some time: PORT SECONDS.

It costs little enough to leave a core to the consumer, and shows how a consumer behaves when AWS is far away.
"""

import asyncio
import json
import re
import sys
from typing import Any

from bench.envelope import body

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
OPERATION = re.compile(rb"\r\nx-amz-target: *AmazonSQS\.(\w+)", re.IGNORECASE)
PLACEHOLDER = b"@@@@@@@@"


def http(answer: dict[str, Any]) -> bytes:
    text = json.dumps(answer, separators=(",", ":")).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(text)}\r\n\r\n"
    return head.encode() + text


def make_answers() -> dict[bytes, bytes]:
    """The answer of each operation."""
    messages = [
        {
            "MessageId": f"059f36b4-87a3-44ab-83d2-{number:012d}",
            "ReceiptHandle": "AQEB" * 50 + PLACEHOLDER.decode() + str(number),
            "Body": body(number),
            "Attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1772368215123"},
        }
        for number in range(10)
    ]
    done = {"Successful": [{"Id": str(number)} for number in range(10)], "Failed": []}
    return {
        b"ReceiveMessage": http({"Messages": messages}),
        b"DeleteMessageBatch": http(done),
        b"ChangeMessageVisibilityBatch": http(done),
        b"GetQueueAttributes": http({"Attributes": {"VisibilityTimeout": "30"}}),
        b"GetQueueUrl": http({"QueueUrl": "http://127.0.0.1/000000000000/q"}),
    }


class Connection(asyncio.Protocol):
    """Connection of one client, which sends its requests one after the other, without pipelining."""

    answers = make_answers()
    receives = 0
    latency = 0.0

    def __init__(self) -> None:
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pending += data
        end = self._pending.find(b"\r\n\r\n")
        if end < 0:
            return
        length = LENGTH.search(self._pending, 0, end + 2)
        total = end + 4 + (int(length[1]) if length else 0)
        if len(self._pending) < total:
            return
        match = OPERATION.search(self._pending, 0, end + 2)
        self._pending = self._pending[total:]
        operation = match[1] if match else b""
        answer = self.answers.get(operation, http({}))
        if operation == b"ReceiveMessage":
            # every delivery has receipt handles of its own, as in SQS
            Connection.receives += 1
            answer = answer.replace(PLACEHOLDER, b"%08d" % Connection.receives)
        if self.latency:
            asyncio.get_running_loop().call_later(self.latency, self._send, answer)
        else:
            self._send(answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def serve(port: int, latency: float) -> None:
    Connection.latency = latency
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))

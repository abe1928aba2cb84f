"""Fetching single messages, without a handler."""

from typing import Any

from faststream_sqs.config import SQSBrokerConfig
from faststream_sqs.record import SQSRecord
from faststream_sqs.schemas import name_of
from faststream_sqs.transport import CALL_TIMEOUT


async def fetch_one(broker: SQSBrokerConfig, queue: str, wait: int) -> SQSRecord | None:
    """The next message within `wait` seconds, deleted from the queue. Raises QueueNotFound and the client's errors."""
    calls = broker.require_calls()
    url = await broker.url(queue)
    params: dict[str, Any] = {
        "QueueUrl": url,
        "MaxNumberOfMessages": 1,
        "WaitTimeSeconds": wait,
        "MessageSystemAttributeNames": ["All"],
        "MessageAttributeNames": ["All"],
    }
    for message in (await calls("ReceiveMessage", params, patience=wait + CALL_TIMEOUT)).get("Messages") or ():
        await calls("DeleteMessage", {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]})
        return SQSRecord(
            name_of(queue),
            message["Body"],
            message["MessageId"],
            message["ReceiptHandle"],
            message.get("Attributes") or {},
            message.get("MessageAttributes") or {},
        )
    return None

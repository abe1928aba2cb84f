"""Queues on the embedded AWS by boto3, for the parts of a benchmark that are not measured."""

from typing import Any

import boto3

REGION = "eu-central-1"


class Queues:
    """Creates, fills and watches queues."""

    def __init__(self, endpoint_url: str) -> None:
        self._sqs = boto3.client(
            "sqs",
            endpoint_url=endpoint_url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def create(self, name: str) -> str:
        url: str = self._sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "120"})["QueueUrl"]
        return url

    def delete(self, url: str) -> None:
        self._sqs.delete_queue(QueueUrl=url)

    def fill(self, url: str, bodies: list[str]) -> None:
        for start in range(0, len(bodies), 10):
            entries: Any = [{"Id": str(i), "MessageBody": text} for i, text in enumerate(bodies[start : start + 10])]
            answer = self._sqs.send_message_batch(QueueUrl=url, Entries=entries)
            assert not answer.get("Failed"), answer

    def left(self, url: str) -> int:
        """Messages that wait or are in flight."""
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"]) + int(attributes["ApproximateNumberOfMessagesNotVisible"])

"""Reads the mailbox queue of a stage (`chassis.aws.captured_email`), like the recipients of the e-mails."""

import json
import threading

from botocore.exceptions import BotoCoreError, ClientError

from chassis.declare.resource_names import Names
from deploy.aws import Aws
from deploy.embedded.emulator_mailbox import Mail
from deploy.errors import StackError

HIDDEN_SECONDS = 30
MAX_ROUNDS = 1000
"""The most that one read takes, at ten messages per round."""


class QueueMailbox:
    """Takes the mails off the queue and keeps them here, as their only reader. Safe from any thread."""

    def __init__(self, aws: Aws, names: Names) -> None:
        self._sqs, self._queue = aws.client("sqs"), names.mailbox
        self._mails: dict[str, Mail] = {}
        self._lock = threading.Lock()

    def read(self) -> list[Mail]:
        """Every e-mail so far, oldest first. Raises StackError if the queue does not answer."""
        with self._lock:
            try:
                url = self._sqs.get_queue_url(QueueName=self._queue)["QueueUrl"]
                for _ in range(MAX_ROUNDS):
                    answer = self._sqs.receive_message(
                        QueueUrl=url,
                        MaxNumberOfMessages=10,
                        VisibilityTimeout=HIDDEN_SECONDS,
                        MessageSystemAttributeNames=["SentTimestamp"],
                    )
                    for message in answer.get("Messages", []):
                        mail, sent = json.loads(message["Body"]), int(message["Attributes"]["SentTimestamp"]) / 1000
                        self._mails[message["MessageId"]] = Mail(
                            message["MessageId"],
                            mail["sender"],
                            (mail["to"],),
                            mail["subject"],
                            mail["text"],
                            mail["html"],
                            sent,
                            "Mailbox",
                        )
                        self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                    if not answer.get("Messages"):
                        break
            except (ClientError, BotoCoreError) as error:
                raise StackError(f"the mailbox {self._queue} does not answer: {error}") from error
            return sorted(self._mails.values(), key=lambda mail: mail.sent_at)

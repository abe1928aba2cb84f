"""Captured e-mail: on a target without a mail service, or whose mail nobody could read, e-mails go to a queue.

`deploy.local.queue_mailbox` reads them from there. Nothing is ever sent on to anybody.
"""

import json
from dataclasses import asdict, dataclass

from awsjson import AwsError
from chassis.aws.client import AwsCalls
from chassis.declare.resource_names import Names
from chassis.declare.stack import Template
from chassis.errors import Unavailable

KEPT_SECONDS = 24 * 3600


def mailbox_statement(names: Names) -> Template:
    """The policy statement that allows writing to the stage's mailbox queue."""
    queue = f"arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{names.mailbox}"
    return {"Effect": "Allow", "Action": ["sqs:GetQueueUrl", "sqs:SendMessage"], "Resource": {"Fn::Sub": queue}}


@dataclass(frozen=True)
class CapturedEmail:
    """One e-mail, as its recipient would see it."""

    sender: str
    to: str
    subject: str
    text: str
    html: str = ""

    def render(self) -> str:
        return json.dumps(asdict(self))


class MailboxQueue:
    """The writing side of a stage's mailbox queue."""

    def __init__(self, calls: AwsCalls, queue: str) -> None:
        self._calls, self._queue = calls, queue

    async def put(self, mail: CapturedEmail) -> None:
        """Store an e-mail for the reader. Raises Unavailable."""
        try:
            url = (await self._calls.call("sqs", "GetQueueUrl", {"QueueName": self._queue}))["QueueUrl"]
            await self._calls.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": mail.render()})
        except AwsError as error:
            raise Unavailable("The mailbox does not answer; try again.") from error

"""Where mail goes in a place that has no mail service, or whose mail nobody could read: a queue of the stage.

Who plays with the place reads it there (`deploy.local.queue_mailbox`). Nothing is ever sent from it to anybody.
"""

import json
from dataclasses import asdict, dataclass

from awsjson import AwsError
from chassis.aws.client import AwsCalls
from chassis.declare.resource_names import Names
from chassis.declare.stack import Template
from chassis.errors import Unavailable

KEPT_SECONDS = 24 * 3600


def writes_mail(names: Names) -> Template:
    """The permission to write to the stage's mailbox."""
    queue = f"arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{names.mailbox}"
    return {"Effect": "Allow", "Action": ["sqs:GetQueueUrl", "sqs:SendMessage"], "Resource": {"Fn::Sub": queue}}


@dataclass(frozen=True)
class CapturedEmail:
    """One e-mail, as its receiver would see it."""

    sender: str
    to: str
    subject: str
    text: str
    html: str = ""

    def render(self) -> str:
        return json.dumps(asdict(self))


class MailboxQueue:
    """The mailbox of one stage, for who writes to it."""

    def __init__(self, calls: AwsCalls, queue: str) -> None:
        self._calls, self._queue = calls, queue

    async def put(self, mail: CapturedEmail) -> None:
        """Raises Unavailable."""
        try:
            url = (await self._calls.call("sqs", "GetQueueUrl", {"QueueName": self._queue}))["QueueUrl"]
            await self._calls.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": mail.render()})
        except AwsError as error:
            raise Unavailable("The mailbox does not answer; try again.") from error

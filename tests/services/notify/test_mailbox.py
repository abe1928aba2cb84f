"""Mail in an environment without a mail service."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from awsjson import AwsError
from chassis.aws.captured_email import MailboxQueue
from chassis.declare.resource_names import Names
from chassis.declare.stack import StackContext
from chassis.errors import Unavailable
from services.notify.adapters.mailer import MailboxMailer
from services.notify.errors import AddressRefused
from services.notify.ports import Mail
from services.notify.stack import resources

SENDER = "Tenfold <no-reply@tenfold.example>"
MAIL = Mail("evt_1.user_bo", "bo@acme.example", "Hello", "text", "<p>html</p>")


class FakeQueue:
    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.down = False

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]:
        if self.down:
            raise AwsError("InternalFailure", "down", service=service, operation=operation, status=500)
        if operation == "GetQueueUrl":
            return {"QueueUrl": f"http://sqs/1/{params['QueueName']}"}
        assert params["QueueUrl"] == "http://sqs/1/box"
        self.bodies.append(params["MessageBody"])
        return {}


async def test_a_mail_lies_in_the_mailbox_as_its_receiver_would_see_it() -> None:
    queue = FakeQueue()
    await MailboxMailer(MailboxQueue(queue, "box"), SENDER).send(MAIL)
    assert [json.loads(body) for body in queue.bodies] == [
        {"sender": SENDER, "to": MAIL.to, "subject": "Hello", "text": "text", "html": "<p>html</p>"}
    ]


async def test_it_refuses_what_the_mail_service_would_and_waits_for_a_queue_that_is_out() -> None:
    queue = FakeQueue()
    mailer = MailboxMailer(MailboxQueue(queue, "box"), SENDER)
    with pytest.raises(AddressRefused):
        await mailer.send(Mail("1", "one@x.example, two@x.example", "s", "t", "h"))
    queue.down = True
    with pytest.raises(Unavailable):
        await mailer.send(MAIL)
    assert queue.bodies == []


def test_a_place_without_ses_makes_no_sender_and_may_only_write_to_its_mailbox() -> None:
    part = resources(StackContext(Names("e2e"), "notify", local=True, without=frozenset({"sesv2"})))
    assert part.resources == {}
    assert part.environment["TENFOLD_MAILBOX"] == "tenfold-e2e-mailbox"
    [statement] = part.statements
    assert statement["Resource"]["Fn::Sub"].endswith(":tenfold-e2e-mailbox")

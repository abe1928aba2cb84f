"""The CloudFormation template of the sender, and one e-mail through the embedded AWS."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.aws.client import Aws
from chassis.declare.resource_names import Names
from chassis.declare.stack import StackContext
from deploy.embedded.emulator import Emulator
from services.notify.adapters.mailer import make_mailer
from services.notify.adapters.templating import make_composer
from services.notify.ports import EmailContent
from services.notify.stack import resources


def context(*, local: bool = False) -> StackContext:
    return StackContext(Names("dev"), "notify", local)


def test_the_service_may_send_as_its_sender_and_as_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SENDER", "Acme <hello@mail.acme.example>")
    part = resources(context())
    [statement] = part.statements
    assert statement["Action"] == ["ses:SendEmail"]
    assert [resource["Fn::Sub"].rsplit(":", 1)[-1] for resource in statement["Resource"]] == [
        "identity/${Sender}",
        "configuration-set/${MailRules}",
    ]
    assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": "hello@mail.acme.example"}}
    assert part.resources["Sender"]["Properties"]["EmailIdentity"] == "mail.acme.example"
    assert part.environment["NOTIFY_SENDER"] == "Acme <hello@mail.acme.example>"


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(tmp_path / "aws") as emulator:
        yield emulator


@pytest.mark.ministack
async def test_an_email_arrives_in_the_mailbox(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    aws = Aws("us-east-1", emulator.endpoint_url)
    try:
        await aws.boto3("cloudformation", _deploy)
        values = {"name": "Bo", "tasks": "2", "by": "Ada"}
        content = EmailContent("tasks_imported", "You have 2 new tasks ü", "/tasks", values)
        await make_mailer(aws).send(make_composer(aws).compose("event1.user_bo", "bo@acme.example", content))
        identity = await aws.boto3("sesv2", lambda client: client.get_email_identity(EmailIdentity="tenfold.example"))
    finally:
        await aws.close()
    [mail] = emulator.mailbox()
    assert (mail.to, mail.subject) == (("bo@acme.example",), "You have 2 new tasks ü")
    assert mail.meta("x-event-id") == "event1.user_bo"
    assert mail.text.startswith("Hello Bo,\n")
    assert identity["ConfigurationSetName"] == "tenfold-dev-notify"


def _deploy(client: object) -> None:
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources(context(local=True)).resources}
    client.create_stack(StackName="notify", TemplateBody=json.dumps(template))  # type: ignore[attr-defined]
    client.get_waiter("stack_create_complete").wait(  # type: ignore[attr-defined]
        StackName="notify", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
    )

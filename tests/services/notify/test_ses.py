"""The mailer on SES: what it sends, and what each refusal means."""

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import ANY, Stubber
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from chassis.aws.client import Aws
from chassis.errors import Retryable
from services.notify.adapters.ses import SesMailer, is_usable
from services.notify.errors import AddressRefused
from services.notify.ports import Mail
from services.notify.settings import NotifySettings

T = TypeVar("T")
REGION = "us-east-1"
SENDER = "Tenfold <no-reply@tenfold.example>"
MAIL = Mail("event1.user_bo", "bo@acme.example", "Neue Aufgabe: Größe 任务", "Text ü", "<p>HTML ü</p>")


class StubbedAws(Aws):
    """Answers from a stub that also checks the parameters against the service's model."""

    def __init__(self) -> None:
        super().__init__(REGION, None)
        self.client = boto3.client("sesv2", region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")
        self.stub = Stubber(self.client)

    async def boto3(self, service: str, use: Callable[[Any], T]) -> T:
        assert service == "sesv2"
        with self.stub:
            return use(self.client)


@pytest.fixture
async def aws() -> AsyncIterator[StubbedAws]:
    aws = StubbedAws()
    yield aws
    await aws.close()


def refusal(aws: StubbedAws, code: str, message: str = "no", status: int = 400) -> SesMailer:
    aws.stub.add_client_error("send_email", code, message, status)
    return SesMailer(aws, SENDER)


async def test_the_email_carries_its_id_as_a_header(aws: StubbedAws) -> None:
    aws.stub.add_response(
        "send_email",
        {"MessageId": "1"},
        {
            "FromEmailAddress": SENDER,
            "Destination": {"ToAddresses": ["bo@acme.example"]},
            "Content": {
                "Simple": {
                    "Subject": {"Data": MAIL.subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": "Text ü", "Charset": "UTF-8"}, "Html": ANY},
                    "Headers": [{"Name": "X-Event-Id", "Value": "event1.user_bo"}],
                }
            },
        },
    )
    await SesMailer(aws, SENDER).send(MAIL)
    aws.stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "message"),
    [("MessageRejected", "Address blacklisted."), ("BadRequestException", "Illegal address")],
)
async def test_what_ses_never_takes_is_refused(aws: StubbedAws, code: str, message: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        await refusal(aws, code, message).send(MAIL)
    assert caught.value.detail == f"{code}: {message}"


@pytest.mark.parametrize(
    ("code", "message", "status"),
    [
        ("TooManyRequestsException", "slower", 429),
        ("LimitExceededException", "quota", 400),
        ("InternalServiceErrorException", "oops", 500),
        ("ServiceUnavailable", "oops", 503),
        ("AccountSuspendedException", "paused", 400),
        ("SendingPausedException", "paused", 400),
        ("MailFromDomainNotVerifiedException", "set it up", 400),
        ("AccessDeniedException", "no permission", 403),
        ("ExpiredTokenException", "sign in again", 403),
        ("MessageRejected", "Email address is not verified. The following identities failed the check: x", 400),
    ],
)
async def test_what_someone_can_fix_is_tried_again(aws: StubbedAws, code: str, message: str, status: int) -> None:
    with pytest.raises(Retryable):
        await refusal(aws, code, message, status).send(MAIL)


async def test_no_connection_is_tried_again(aws: StubbedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise ConnectTimeoutError(endpoint_url="https://email.test")

    monkeypatch.setattr(aws.client, "send_email", fail)
    with pytest.raises(Retryable):
        await SesMailer(aws, SENDER).send(MAIL)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "bo",
        "bo@",
        "@acme.example",
        "bo@acme.example, all@acme.example",
        "bo@acme.example\r\nBcc: all@acme.example",
        "Bo <bo@acme.example>",
        "bo@@acme.example",
        "bö@acme.example",
        "bo @acme.example",
        "bo@a;b",
        '"b"@acme.example',
    ],
)
async def test_an_address_that_is_not_one_plain_address_is_refused_before_sending(
    aws: StubbedAws, address: str
) -> None:
    with pytest.raises(AddressRefused):
        await SesMailer(aws, SENDER).send(Mail("id", address, "s", "t", "h"))


@pytest.mark.parametrize("address", ["bo@acme.example", "bo.b+tag@mail.acme.example", "o'neil_b@acme.example"])
def test_plain_addresses_are_usable(address: str) -> None:
    assert is_usable(address)


async def test_ses_gets_the_email(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        boto3.client("sesv2", region_name=REGION).create_email_identity(EmailIdentity="tenfold.example")
        aws = Aws(REGION, None)
        try:
            await SesMailer(aws, SENDER).send(MAIL)
        finally:
            await aws.close()
        [message] = ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages
    assert (message.source, message.subject) == (SENDER, MAIL.subject)
    assert message.destinations["ToAddresses"] == ["bo@acme.example"]


@pytest.mark.parametrize("sender", ["Tenfold", "Tenfold <no-reply>", "a@b.example\r\nBcc: c@d.example", ""])
def test_a_sender_that_is_not_an_address_stops_the_process(sender: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SENDER", sender)
    with pytest.raises(ValueError, match="must be an address"):
        NotifySettings()

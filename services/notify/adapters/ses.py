"""The mailer on Amazon SES, API version 2."""

import re
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from chassis.aws.client import Aws
from chassis.errors import Retryable, Unavailable
from services.notify.errors import AddressRefused
from services.notify.ports import Mail

HEADER: Final = "X-Event-Id"
ADDRESS: Final = re.compile(r"[!-~]+@[!-~]+")
UNUSABLE: Final = frozenset('@,;:<>()[]\\"')
FINAL_ERRORS: Final = frozenset({"BadRequestException", "MessageRejected"})
NOT_VERIFIED: Final = "not verified"
"""In SES's message when an identity of ours is not set up, or the account is in the sandbox. The error code is the same
as for an e-mail that it will never take."""


class SesMailer:
    """Sends each e-mail with one call, within the client's time limit. SES itself writes the headers."""

    def __init__(self, aws: Aws, sender: str) -> None:
        self._aws, self._sender = aws, sender

    async def send(self, mail: Mail) -> None:
        if not is_usable(mail.to):
            raise AddressRefused("The address is not one that mail can be sent to.")
        message = {
            "Subject": _content(mail.subject),
            "Body": {"Text": _content(mail.text), "Html": _content(mail.html)},
            "Headers": [{"Name": HEADER, "Value": mail.id}],
        }
        params: dict[str, Any] = {
            "FromEmailAddress": self._sender,
            "Destination": {"ToAddresses": [mail.to]},
            "Content": {"Simple": message},
        }
        try:
            await self._aws.boto3("sesv2", lambda client: client.send_email(**params))
        except ClientError as error:
            raise _error_of(error) from error
        except BotoCoreError as error:
            raise Unavailable("The mail service does not answer; try again.") from error


def is_usable(address: str) -> bool:
    """Whether it is one plain address in ASCII. SES would take a list of addresses, too."""
    return bool(ADDRESS.fullmatch(address)) and address.count("@") == 1 and not UNUSABLE & set(address.replace("@", ""))


def _content(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}


def _error_of(error: ClientError) -> AddressRefused | Retryable:
    """Only an error about this very message is final. Anything else can be fixed (throttling, a paused account, a
    missing permission), and the e-mail must not be lost until then."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in FINAL_ERRORS and NOT_VERIFIED not in message:
        return AddressRefused(f"{code}: {message}")
    return Retryable(f"The mail service does not take it now ({code}): {message}")

"""Reads the mailbox of the embedded AWS, like the recipients of the e-mails."""

import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from html import unescape
from typing import Any

from deploy.errors import EmulatorError

_META = re.compile(r"<meta\s+name=\"([^\"]+)\"\s+content=\"([^\"]*)\"\s*/?>", re.IGNORECASE)


@dataclass(frozen=True)
class Mail:
    """One e-mail. `kind` distinguishes SES ("v2.SendEmail") from Cognito's codes ("CognitoVerificationMessage");
    `sent_at` is in epoch seconds.

    The embedded AWS keeps no custom headers, neither of simple nor of raw messages: what must be read later (an event
    id) has to be in the body, and `meta` reads it from the HTML.
    """

    message_id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    sent_at: float
    kind: str

    def meta(self, name: str) -> str | None:
        """The content of `<meta name="..." content="...">` in the HTML part."""
        for key, content in _META.findall(self.html):
            if key.lower() == name.lower():
                return unescape(content)
        return None


def parse_mailbox(answer: dict[str, Any]) -> list[Mail]:
    """The e-mails in the endpoint's answer, oldest first."""
    records = [record for account in answer["messages"].values() for record in account]
    mails = [
        Mail(
            message_id=record["MessageId"],
            sender=record["Source"],
            to=tuple(record["To"]),
            subject=record["Subject"] or "",
            text=record["BodyText"] or "",
            html=record["BodyHtml"] or "",
            sent_at=float(record["Timestamp"]),
            kind=record["Type"],
        )
        for record in records
    ]
    return sorted(mails, key=lambda mail: mail.sent_at)


def read_mailbox(url: str) -> list[Mail]:
    """Fetch and parse the mailbox at `url`. Raises EmulatorError if nothing answers there in 10 s."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  (an address of our own making)
            return parse_mailbox(json.load(answer))
    except (urllib.error.URLError, OSError) as error:
        raise EmulatorError(f"the embedded AWS does not answer at {url} ({error}); is it running?") from None

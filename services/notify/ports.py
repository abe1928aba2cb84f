"""Ports: the composer, which writes e-mails, and the mailer, which sends them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class EmailContent:
    """The content of an e-mail: a template, and the values for it, as users gave them. `path` is the target of its
    link, below the public address."""

    template: str
    subject: str
    path: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Mail:
    """An e-mail ready to be sent. `id` is the same each time it is sent, so that receivers recognize repeats."""

    id: str
    to: str
    subject: str
    text: str
    html: str


class Composer(Protocol):
    def compose(self, id: str, to: str, content: EmailContent) -> Mail:  # noqa: A002
        """Fill the template. No value can add a line to a header, markup to the HTML, or a line to the text."""


class Mailer(Protocol):
    async def send(self, mail: Mail) -> None:
        """Hand it to the mail service, with its id as the header `X-Event-Id`. Raises AddressRefused for an e-mail that
        will never be taken, Retryable for one that may be taken later."""

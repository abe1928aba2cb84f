"""What notify needs from outside its table: somebody who writes e-mails, and somebody who sends them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Letter:
    """What an e-mail shall say: a template, and the values for it, as users gave them. `path` is where its link leads,
    below the public address."""

    template: str
    subject: str
    path: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Mail:
    """An e-mail ready to be sent. `id` is the same each time it is sent, and receivers know repeats by it."""

    id: str
    to: str
    subject: str
    text: str
    html: str


class Composer(Protocol):
    def compose(self, id: str, to: str, letter: Letter) -> Mail:  # noqa: A002
        """Fill the template. No value can add a line to a header, markup to the HTML, or a line to the text."""


class Mailer(Protocol):
    async def send(self, mail: Mail) -> None:
        """Hand it to the mail service, with its id as the header `X-Event-Id`. Raises AddressRefused for what will
        never be taken, Retryable for what may be later."""

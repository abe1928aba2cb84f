"""Notify's own settings, beside those that every service reads."""

from email.utils import parseaddr

from pydantic import field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class NotifySettings(BaseSettings):
    """The sender of our e-mails, and the target of the links in them. Read by the processes and, to make the sender's
    identity, by the deployment."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    notify_sender: str = "Tenfold <no-reply@tenfold.example>"
    tenfold_mailbox: str = ""
    """The queue that takes our e-mails in an environment without a mail service. If it is empty, they are sent."""
    tenfold_public_url: str = "http://127.0.0.1:8080"

    @field_validator("notify_sender")
    @classmethod
    def _is_a_mailbox(cls, value: str) -> str:
        local, at, domain = parseaddr(value)[1].rpartition("@")
        if not (local and at and domain) or not value.isprintable():
            raise ValueError("must be an address, or a name and an address: Tenfold <no-reply@tenfold.example>")
        return value

    @property
    def sender_address(self) -> str:
        return parseaddr(self.notify_sender)[1]

    @property
    def sender_domain(self) -> str:
        return self.sender_address.rpartition("@")[2]

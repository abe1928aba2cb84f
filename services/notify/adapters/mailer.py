"""The mailer of this process, by its settings: Amazon SES, or the stage's mailbox."""

from chassis.aws.captured_email import CapturedEmail, MailboxQueue
from chassis.aws.client import Aws
from services.notify.adapters.ses import SesMailer, is_usable
from services.notify.errors import AddressRefused
from services.notify.ports import Mail, Mailer
from services.notify.settings import NotifySettings


class MailboxMailer:
    """Puts each e-mail into the stage's mailbox, and refuses the addresses that the mail service would refuse."""

    def __init__(self, mailbox: MailboxQueue, sender: str) -> None:
        self._mailbox, self._sender = mailbox, sender

    async def send(self, mail: Mail) -> None:
        if not is_usable(mail.to):
            raise AddressRefused("The address is not one that mail can be sent to.")
        await self._mailbox.put(CapturedEmail(self._sender, mail.to, mail.subject, mail.text, mail.html))


def make_mailer(aws: Aws) -> Mailer:
    """Amazon SES, or the stage's mailbox in an environment without it."""
    settings = NotifySettings()
    if settings.tenfold_mailbox:
        return MailboxMailer(MailboxQueue(aws, settings.tenfold_mailbox), settings.notify_sender)
    return SesMailer(aws, settings.notify_sender)

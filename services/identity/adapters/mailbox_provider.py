"""The development provider with its adapters: accounts in identity's table, the signing key in Secrets Manager, and
codes in the stage's mailbox."""

from chassis.aws.captured_email import CapturedEmail, MailboxQueue
from chassis.aws.client import Aws
from chassis.aws.dynamodb import DynamoTable
from chassis.clock import SystemClock
from services.identity.accounts.model import CODE_MESSAGE, CODE_SUBJECT
from services.identity.adapters.development import Dependencies, DevelopmentProvider
from services.identity.adapters.signing import StoredKeyIssuer
from services.identity.settings import IdentitySettings, signing_secret

SENDER = "no-reply@development.tenfold.invalid"


class MailboxCodeSender:
    """Puts a code into the stage's mailbox, with the text of Cognito's own e-mail."""

    def __init__(self, mailbox: MailboxQueue) -> None:
        self._mailbox = mailbox

    async def send_code(self, email: str, code: str) -> None:
        text = CODE_MESSAGE.replace("{####}", code)
        await self._mailbox.put(CapturedEmail(sender=SENDER, to=email, subject=CODE_SUBJECT, text=text))


def development_provider(aws: Aws, settings: IdentitySettings) -> DevelopmentProvider:
    clock = SystemClock()
    table = DynamoTable(aws, settings.table_of("identity"))
    issuer = StoredKeyIssuer(aws, signing_secret(settings.names), clock)
    code_sender = MailboxCodeSender(MailboxQueue(aws, settings.tenfold_mailbox))
    return DevelopmentProvider(Dependencies(table, table, issuer.get, code_sender, clock))

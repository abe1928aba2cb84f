"""The development provider as a place without Cognito runs it: accounts in identity's table, codes in the mailbox."""

from chassis.aws.captured_email import CapturedEmail, MailboxQueue
from chassis.aws.client import Aws
from chassis.aws.dynamodb import DynamoTable
from chassis.clock import SystemClock
from services.identity.development import DevelopmentProvider, Parts
from services.identity.settings import IdentitySettings
from services.identity.signing import KeptIssuer
from services.identity.stack import CODE_MESSAGE, CODE_SUBJECT, signing_secret

SENDER = "no-reply@development.tenfold.invalid"


class MailboxPost:
    """Puts a code into the stage's mailbox, in the words of Cognito's own e-mail."""

    def __init__(self, mailbox: MailboxQueue) -> None:
        self._mailbox = mailbox

    async def send_code(self, email: str, code: str) -> None:
        text = CODE_MESSAGE.replace("{####}", code)
        await self._mailbox.put(CapturedEmail(sender=SENDER, to=email, subject=CODE_SUBJECT, text=text))


def development_provider(aws: Aws, settings: IdentitySettings) -> DevelopmentProvider:
    clock = SystemClock()
    table = DynamoTable(aws, settings.table_of("identity"))
    kept = KeptIssuer(aws, signing_secret(settings.names), clock)
    post = MailboxPost(MailboxQueue(aws, settings.tenfold_mailbox))
    return DevelopmentProvider(Parts(table, table, kept.issuer, post, clock))

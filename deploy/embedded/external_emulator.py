"""An AWS that somebody else runs: LocalStack, another emulator, anything that answers at an address."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.embedded.emulator_mailbox import Mail
from deploy.errors import EmulatorError


@dataclass(frozen=True)
class ExternalEmulator:
    """Used like an Emulator, but we neither start nor stop it, and its state stays unless we delete it."""

    endpoint_url: str
    mailbox_url: str = ""
    pid: int | None = None

    @property
    def aws(self) -> Aws:
        return Aws(self.endpoint_url)

    @property
    def port(self) -> int:
        """Raises ValueError for an invalid address."""
        address = urlsplit(self.endpoint_url)
        return address.port or (443 if address.scheme == "https" else 80)

    def start(self) -> None:
        """Check that it answers. Raises EmulatorError."""
        try:
            self.aws.client("sts").get_caller_identity()
        except (ClientError, BotoCoreError, ValueError) as error:
            raise EmulatorError(f"no AWS answers at {self.endpoint_url}: {error}") from None

    def stop(self) -> None:
        """Nothing: it goes on."""

    def check(self) -> None:
        """Nothing: its health is its owner's concern, and calls to it fail by themselves."""

    def mailbox(self) -> list[Mail]:
        """No e-mails: a stage here writes to its own mailbox."""
        return []

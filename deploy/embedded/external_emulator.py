"""An AWS that somebody else runs: LocalStack, another emulator, whatever answers at an address."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from deploy.embedded.emulator_mailbox import Mail
from deploy.stage.aws import Aws
from deploy.stage.errors import EmulatorError


@dataclass(frozen=True)
class Elsewhere:
    """Used as the Emulator is, but neither started nor stopped by us, and it forgets nothing of ours by itself."""

    endpoint_url: str
    mailbox_url: str = ""
    pid: int | None = None

    @property
    def aws(self) -> Aws:
        return Aws(self.endpoint_url)

    @property
    def port(self) -> int:
        """Raises ValueError for an address that is none."""
        found = urlsplit(self.endpoint_url)
        return found.port or (443 if found.scheme == "https" else 80)

    def start(self) -> None:
        """Raises EmulatorError if nothing answers there."""
        try:
            self.aws.client("sts").get_caller_identity()
        except (ClientError, BotoCoreError, ValueError) as error:
            raise EmulatorError(f"no AWS answers at {self.endpoint_url}: {error}") from None

    def stop(self) -> None:
        """It goes on."""

    def check(self) -> None:
        """Its health is its owner's concern; calls that fail say so."""

    def mailbox(self) -> list[Mail]:
        """None that we know of: what is played here writes to the stage's own mailbox."""
        return []

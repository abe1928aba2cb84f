"""The names of a stage's resources. Templates create them and processes find them by the same functions."""

from dataclasses import dataclass


def index_name(number: int) -> str:
    """The name of a table's GSI `number` for lists, whose keys are `L<number>PK` and `L<number>SK`.

    Not just `L1`: DynamoDB refuses names of fewer than three characters, though emulators take them.
    """
    return f"list{number}"


PRODUCTION = "prod"
"""The stage that customers use: destructive commands ask for its name here."""


@dataclass(frozen=True)
class Names:
    """Names within one stage ("dev", "prod", ...), all of them beginning with `tenfold-<stage>`."""

    stage: str

    @property
    def prefix(self) -> str:
        return f"tenfold-{self.stage}"

    @property
    def bus(self) -> str:
        return self.prefix

    @property
    def archive(self) -> str:
        """The archive of the bus, with every event that was ever on it."""
        return self.bus

    @property
    def history(self) -> str:
        """The queue, and its rule, that receive a replay of the archive."""
        return f"{self.prefix}-platform-history"

    @property
    def cursor_secret(self) -> str:
        """The secret with the key that signs the cursors of lists."""
        return f"{self.prefix}-cursors"

    @property
    def mailbox(self) -> str:
        """The queue that receives e-mails on a stage where nobody could read them otherwise."""
        return f"{self.prefix}-mailbox"

    def stack(self, service: str) -> str:
        return f"{self.prefix}-{service}"

    def table(self, service: str) -> str:
        return f"{self.prefix}-{service}"

    def queue(self, service: str, subscription: str) -> str:
        return f"{self.prefix}-{service}-{subscription}"

    def dead_letters(self, service: str, subscription: str) -> str:
        return f"{self.queue(service, subscription)}-dlq"

    def parameter(self, *path: str) -> str:
        """The path of an SSM parameter."""
        return "/".join(("", "tenfold", self.stage, *path))

"""The clients' own record of people, commands and acknowledgements. Nothing in it is read from inside the system."""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass
class Person:
    """A person, with the latest access token, its organization, and the token of an invitation to accept."""

    email: str
    name: str
    id: str = ""
    refresh_token: str = ""
    token: str = ""
    org: str | None = None
    invitation: str | None = None


@dataclass
class Task:
    """A task that was acknowledged."""

    id: str
    title: str
    org: str


@dataclass
class Organization:
    """An organization. `members` are the addresses of its members as far as clients know, the owner first."""

    id: str
    slug: str
    members: list[str]
    projects: dict[str, str] = field(default_factory=dict)
    """Key -> id."""
    tasks: list[Task] = field(default_factory=list)
    invited: dict[str, str] = field(default_factory=dict)
    """Address -> id of a pending invitation."""

    @property
    def owner(self) -> str:
        return self.members[0]


Promise = Literal["each", "once", "maybe"]


@dataclass(frozen=True)
class Effect:
    """Effect of a command: an event of this type with this identity.

    An acknowledgement promises one more of them (`each`), at least one (`once`: it may have existed already), or
    nothing (`maybe`).
    """

    type: str
    identity: str
    promise: Promise = "each"


@dataclass
class Command:
    """One command of a client, however often it is sent: its Idempotency-Key and its token stay the same.

    `then` names the follow-up that the client does with the answer; `about` are its arguments, fixed when the command
    was made.
    """

    number: int
    kind: str
    token: str | None
    service: str
    method: str
    path: str
    body: Any
    effects: list[Effect]
    then: str | None = None
    about: dict[str, str] = field(default_factory=dict)
    tries: int = 0
    acknowledged: bool = False
    refused: int | None = None
    lingers: bool = False
    """Whether an earlier try may still be executed after a later one was refused."""

    @property
    def key(self) -> str:
        return f"command-{self.number}"

    @property
    def uncertain(self) -> bool:
        """Whether a refusal leaves open if the command was executed: an earlier try may have been."""
        return self.lingers or self.tries > 1

    @property
    def open(self) -> bool:
        return not self.acknowledged and self.refused is None


@dataclass
class Upload:
    """A file that was uploaded to the object store with a form of the API."""

    name: str
    content: bytes
    good: bool


@dataclass
class Ledger:
    """Everything that clients know and have requested."""

    people: dict[str, Person] = field(default_factory=dict)
    organizations: dict[str, Organization] = field(default_factory=dict)
    invited_addresses: set[str] = field(default_factory=set)
    """Addresses that were ever invited. Each is invited only once, so that an address identifies an invitation."""
    commands: list[Command] = field(default_factory=list)
    forms: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    """Upload forms that are not used yet, each with the name of its file."""
    uploads: dict[str, Upload] = field(default_factory=dict)
    """Uploads by file name."""
    removed: set[tuple[str, str]] = field(default_factory=set)
    """(organization, user) of every removal that was requested."""
    marks: int = 0

    def mark(self, word: str) -> str:
        """A text that is in one command only."""
        self.marks += 1
        return f"{word}{self.marks}"

    @property
    def open(self) -> list[Command]:
        return [command for command in self.commands if command.open]

"""What clients know: whom they are, what they asked for, and what was acknowledged. Nothing in it is read from the
system's insides."""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass
class Person:
    """`token` is their latest access token, `org` the organization in it. `invitation` is what they came by."""

    email: str
    name: str
    id: str = ""
    refresh_token: str = ""
    token: str = ""
    org: str | None = None
    invitation: str | None = None


@dataclass
class Task:
    id: str
    title: str
    org: str


@dataclass
class Organization:
    """`members` are the addresses of those whom clients know to be in, the owner first."""

    id: str
    slug: str
    members: list[str]
    projects: dict[str, str] = field(default_factory=dict)
    """Key -> id."""
    tasks: list[Task] = field(default_factory=list)
    invited: dict[str, str] = field(default_factory=dict)
    """Address -> invitation id; those not answered yet."""

    @property
    def owner(self) -> str:
        return self.members[0]


Promise = Literal["each", "once", "maybe"]


@dataclass(frozen=True)
class Effect:
    """A fact that a command makes: an event of this type, with this identity. An acknowledgement promises one more of
    them for `each` command, or that there is at least one (`once`: it may have been so already), or nothing."""

    type: str
    identity: str
    promise: Promise = "each"


@dataclass
class Command:
    """One wish of a client, however often it is sent: its key and its token, which says in which organization it is
    meant, stay the same.

    `then` names what the client does with the answer, with `about` as it was when it asked.
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
    """A try of it may still be carried out after a later one was refused."""

    @property
    def key(self) -> str:
        return f"command-{self.number}"

    @property
    def uncertain(self) -> bool:
        """A refusal of a repetition says nothing of the first try: things may have changed since it was carried out."""
        return self.lingers or self.tries > 1

    @property
    def open(self) -> bool:
        return not self.acknowledged and self.refused is None


@dataclass
class Upload:
    """A file that was put into the store with the API's form."""

    name: str
    content: bytes
    good: bool


@dataclass
class Ledger:
    people: dict[str, Person] = field(default_factory=dict)
    organizations: dict[str, Organization] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    """Addresses that were ever invited: each only once, so that one invitation is told from another."""
    commands: list[Command] = field(default_factory=list)
    forms: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    """Upload forms that were given out and not used yet, with the file's name."""
    uploads: dict[str, Upload] = field(default_factory=dict)
    """By file name."""
    removed: set[tuple[str, str]] = field(default_factory=set)
    """(organization, user) of every removal that anybody asked for."""
    marks: int = 0

    def mark(self, word: str) -> str:
        """A text that stands in one command only."""
        self.marks += 1
        return f"{word}{self.marks}"

    @property
    def open(self) -> list[Command]:
        return [command for command in self.commands if command.open]

"""What all phases of the day share. Everything that a client does is written into the ledger, and nothing else is."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from examples.first_day.client import Api, Person, UnexpectedAnswerError
from examples.first_day.inputs import Inputs, Invitee
from examples.first_day.ledger import Ledger
from examples.first_day.mail import Mailroom

T = TypeVar("T")
Tell = Callable[[str], None]
CROWD = 6
"""How many people act at once."""


@dataclass
class Cast:
    """Who plays which part; emails in lower case."""

    founder: Person
    declining: Invitee
    revoked: Invitee
    leaving: Invitee
    joining: list[Invitee]


@dataclass
class Inbox:
    """The newest of what one member was told: (when, title)."""

    name: str
    unread: int
    newest: list[tuple[str, str]]


@dataclass
class Day:
    """One organization's first day. `slug` and `domain` let several days live in one system."""

    api: Api
    mailroom: Mailroom
    inputs: Inputs
    tell: Tell = lambda _: None
    slug: str = "acme"
    domain: str | None = None
    """Replaces the domain of every address, so that the same people can live another day."""
    ledger: Ledger = field(default_factory=Ledger)
    seconds: dict[str, float] = field(default_factory=dict)
    org_id: str = ""
    people: dict[str, Person] = field(default_factory=dict)
    projects: dict[str, str] = field(default_factory=dict)
    assignment: dict[str, str] = field(default_factory=dict)
    """The one assignment whose fan-out is drawn: task id and assignee."""
    inbox: Inbox | None = None
    removal_ms: float = 0.0
    reached: Callable[[str], Awaitable[None]] | None = None
    """Told of each milestone, so that a test can do harm there."""

    @asynccontextmanager
    async def phase(self, name: str) -> AsyncIterator[None]:
        started = time.monotonic()
        await self.reach(name)
        yield
        self.seconds[name] = round(time.monotonic() - started, 2)

    async def reach(self, milestone: str) -> None:
        if self.reached is not None:
            await self.reached(milestone)

    def address(self, email: str) -> str:
        local, _, domain = email.partition("@")
        return f"{local}@{self.domain or domain}" if domain else email

    def cast(self) -> Cast:
        idle = [p for p in self.inputs.least_busy() if p.role in ("viewer", "member")]
        declining, revoked = idle[0], idle[1]
        leaving = next(p for p in idle[2:] if p.role == "member")
        joining = [p for p in self.inputs.good_people if p not in (declining, revoked)]
        domain = self.inputs.good_people[0].email.partition("@")[2]
        founder = Person(self.api, self.address(f"ada.founder@{domain}"), "Ada Byrne", "owner")
        return Cast(founder, declining, revoked, leaving, joining)

    async def until(
        self, look: Callable[[], Awaitable[T]], good: Callable[[T], Any], seconds: float = 60, pause: float = 0.1
    ) -> T:
        """Look again until it is good. Raises UnexpectedAnswerError after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            found = await look()
            if good(found):
                return found
            if time.monotonic() > deadline:
                raise UnexpectedAnswerError(f"still not as it should be after {seconds:.0f} s: {found}")
            await asyncio.sleep(pause)

    async def crowd(self, stories: Iterable[Awaitable[None]]) -> None:
        """Several people at once, CROWD at most."""
        room = asyncio.Semaphore(CROWD)

        async def admitted(story: Awaitable[None]) -> None:
            async with room:
                await story

        await asyncio.gather(*(admitted(story) for story in stories))

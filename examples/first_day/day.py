"""The state that all phases of the day share. The ledger records what clients do, and nothing else."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from chassis.resilience.retry import gather_bounded
from examples.first_day.client import Api, Person, UnexpectedAnswerError
from examples.first_day.inputs import Inputs, Invitee
from examples.first_day.ledger import Ledger
from examples.first_day.mail import Mailroom

T = TypeVar("T")
Progress = Callable[[str], None]
CROWD = 6
"""The number of people who act at once."""


@dataclass
class Cast:
    """The people who play each part."""

    founder: Person
    declining: Invitee
    revoked: Invitee
    leaving: Invitee
    joining: list[Invitee]


@dataclass
class Inbox:
    """A member's newest notifications: (time, title)."""

    name: str
    unread: int
    newest: list[tuple[str, str]]


@dataclass
class Day:
    """The first day of one organization. `slug` and `domain` let several days run in one system."""

    api: Api
    mailroom: Mailroom
    inputs: Inputs
    progress: Progress = lambda _: None
    slug: str = "acme"
    domain: str | None = None
    """Replaces the domain of every address, so that the same people can play another day."""
    ledger: Ledger = field(default_factory=Ledger)
    seconds: dict[str, float] = field(default_factory=dict)
    org_id: str = ""
    people: dict[str, Person] = field(default_factory=dict)
    projects: dict[str, str] = field(default_factory=dict)
    assignment: dict[str, str] = field(default_factory=dict)
    """The assignment whose fan-out is drawn: task id and assignee."""
    inbox: Inbox | None = None
    removal_ms: float = 0.0
    on_milestone: Callable[[str], Awaitable[None]] | None = None
    """Called at each milestone, so that a test can cause damage there."""

    @asynccontextmanager
    async def phase(self, name: str) -> AsyncIterator[None]:
        started = time.monotonic()
        await self.reach_milestone(name)
        yield
        self.seconds[name] = round(time.monotonic() - started, 2)

    async def reach_milestone(self, milestone: str) -> None:
        if self.on_milestone is not None:
            await self.on_milestone(milestone)

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
        """Polls `look` until its result is `good`, and returns it. Raises UnexpectedAnswerError after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            result = await look()
            if good(result):
                return result
            if time.monotonic() > deadline:
                raise UnexpectedAnswerError(f"still not as expected after {seconds:.0f} s: {result}")
            await asyncio.sleep(pause)

    async def crowd(self, stories: Iterable[Awaitable[None]]) -> None:
        """Plays the stories of several people, at most CROWD at once."""

        async def play(story: Awaitable[None]) -> None:
            await story

        await gather_bounded(stories, play, at_once=CROWD)

"""One day against one system: plays it, waits for all effects, and compares them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from deploy.aws import Aws
from deploy.local.system import LocalSystem
from examples.first_day.check import Outcome, compare
from examples.first_day.client import Api
from examples.first_day.day import Day, Inbox, Progress
from examples.first_day.holdings import Holdings, Tables
from examples.first_day.inputs import Inputs
from examples.first_day.mail import Mailroom
from examples.first_day.story import play

SETTLE_SECONDS = 90.0


async def run_day(
    system: LocalSystem,
    inputs: Inputs,
    *,
    progress: Progress = lambda _: None,
    slug: str = "acme",
    domain: str | None = None,
    on_milestone: Callable[[str], Awaitable[None]] | None = None,
) -> tuple[Day, Outcome, Holdings]:
    """Plays a day. The outcome says whether every effect exists exactly once.

    Raises UnexpectedAnswerError if the system gives an answer that the day does not expect.
    """
    scene = Scene(system.base_url, system.stage, system.emulator.aws, Mailroom(system.mail))
    return await play_at(scene, inputs, progress=progress, slug=slug, domain=domain, on_milestone=on_milestone)


@dataclass(frozen=True)
class Scene:
    """The scene of a day: a deployed stage of any AWS."""

    base_url: str
    stage: str
    aws: Aws
    mailroom: Mailroom


async def play_at(
    scene: Scene,
    inputs: Inputs,
    *,
    progress: Progress = lambda _: None,
    slug: str = "acme",
    domain: str | None = None,
    on_milestone: Callable[[str], Awaitable[None]] | None = None,
) -> tuple[Day, Outcome, Holdings]:
    """Like `run_day`, in any scene."""
    mailroom = scene.mailroom
    mailroom.ignored = frozenset(mail.message_id for mail in await mailroom.all())
    async with aiohttp.ClientSession() as session:
        day = Day(Api(scene.base_url, session), mailroom, inputs, progress, slug, domain, on_milestone=on_milestone)
        await play(day)
        progress("waiting for the effects of all events")
        async with day.phase("settling"):
            outcome, holdings = await settle(day, Tables(scene.aws, scene.stage))
        await read_inbox(day)
    return day, outcome, holdings


async def settle(day: Day, tables: Tables) -> tuple[Outcome, Holdings]:
    """The comparison when all queues are empty, or after SETTLE_SECONDS at the latest.

    Queues and outboxes are empty before the last look, so a superfluous effect would be visible by then.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        waiting, dead = await asyncio.to_thread(tables.depths)
        late = time.monotonic() > deadline
        if not waiting or late:
            mails = await day.mailroom.all(time.monotonic())
            holdings = await asyncio.to_thread(tables.holdings, day.ledger, day.org_id, mails)
            founder = next(person for person in day.people.values() if person.role == "owner")
            chain: dict[str, Any] = (await founder.call("GET", "/v1/audit/verification")).body
            outcome = compare(day.ledger, holdings, dead, chain)
            if (outcome.good and not holdings.outbox) or late:
                return outcome, holdings
        await asyncio.sleep(0.3)


async def read_inbox(day: Day) -> None:
    """Reads the notifications of the person whose assignment is drawn."""
    person = day.people[day.assignment["email"].lower()]
    page = await person.call("GET", "/v1/notifications", params={"limit": "8"})
    unread = await person.call("GET", "/v1/notifications/unread-count")
    day.inbox = Inbox(person.name, unread["unread"], [(each["created_at"], each["title"]) for each in page["items"]])

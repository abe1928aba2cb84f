"""One day against one system: play it, wait until everything has had its effect, compare."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from deploy.local.system import LocalSystem
from deploy.stage.aws import Aws
from examples.first_day.check import Outcome, compare
from examples.first_day.client import Api
from examples.first_day.day import Day, Inbox, Tell
from examples.first_day.found import Holdings, Tables
from examples.first_day.inputs import Inputs
from examples.first_day.mail import Mailroom
from examples.first_day.story import play

SETTLE_SECONDS = 90.0


async def run_day(
    system: LocalSystem,
    inputs: Inputs,
    *,
    tell: Tell = lambda _: None,
    slug: str = "acme",
    domain: str | None = None,
    reached: Callable[[str], Awaitable[None]] | None = None,
) -> tuple[Day, Outcome, Holdings]:
    """Raises UnexpectedAnswerError when the system answers what the day does not allow for. Whether every effect
    exists exactly once says the outcome."""
    scene = Scene(system.base_url, system.stage, system.emulator.aws, Mailroom(system.mail))
    return await play_at(scene, inputs, tell=tell, slug=slug, domain=domain, reached=reached)


@dataclass(frozen=True)
class Scene:
    """Where a day is played: any deployed stage of any AWS."""

    base_url: str
    stage: str
    aws: Aws
    mailroom: Mailroom


async def play_at(
    scene: Scene,
    inputs: Inputs,
    *,
    tell: Tell = lambda _: None,
    slug: str = "acme",
    domain: str | None = None,
    reached: Callable[[str], Awaitable[None]] | None = None,
) -> tuple[Day, Outcome, Holdings]:
    """As `run_day`, wherever the scene is."""
    mailroom = scene.mailroom
    mailroom.ignored = frozenset(mail.message_id for mail in await mailroom.all())
    async with aiohttp.ClientSession() as session:
        day = Day(Api(scene.base_url, session), mailroom, inputs, tell, slug, domain, reached=reached)
        await play(day)
        tell("waits until every event has had its effects")
        async with day.phase("settling"):
            outcome, found = await settle(day, Tables(scene.aws, scene.stage))
        await read_inbox(day)
    return day, outcome, found


async def settle(day: Day, tables: Tables) -> tuple[Outcome, Holdings]:
    """The comparison once nothing is under way any more; after SETTLE_SECONDS as it is then.

    Queues and outboxes are empty before the last look: an effect too many would have shown by then.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        waiting, dead = await asyncio.to_thread(tables.depths)
        late = time.monotonic() > deadline
        if not waiting or late:
            mails = await day.mailroom.all(time.monotonic())
            found = await asyncio.to_thread(tables.holdings, day.ledger, day.org_id, mails)
            outcome = compare(day.ledger, found, dead, await _verified(day))
            if (outcome.good and not found.outbox) or late:
                return outcome, found
        await asyncio.sleep(0.3)


async def read_inbox(day: Day) -> None:
    """What the one whose assignment is drawn has been told."""
    person = day.people[day.assignment["email"].lower()]
    page = await person.call("GET", "/v1/notifications", params={"limit": "8"})
    unread = await person.call("GET", "/v1/notifications/unread-count")
    day.inbox = Inbox(person.name, unread["unread"], [(each["created_at"], each["title"]) for each in page["items"]])


async def _verified(day: Day) -> dict[str, Any]:
    founder = next(person for person in day.people.values() if person.role == "owner")
    chain: dict[str, Any] = (await founder.call("GET", "/v1/audit/verification")).body
    return chain

"""The load: organizations with members, and workers who create projects, tasks, assignments and comments in them.

Each worker has tasks of its own, so that its next valid commands follow from the acknowledged ones.
"""

import asyncio
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chassis.auth.development import DevelopmentIssuer
from chassis.auth.tokens import TokenClaims
from contracts.common import Role
from deploy.embedded.emulator_mailbox import Mail
from verification.chaos.client import Client
from verification.simulation.ledger import Effect

DOMAIN = "acme.example"
TOKEN = re.compile(r"/invitations/accept\?token=([A-Za-z0-9_-]+)")
MAIL_SECONDS = 60.0
OPEN_TASKS = 6
STATUSES = ("in_progress", "in_review", "done", "open")


@dataclass(frozen=True)
class Person:
    """A person, with a token that is valid for the whole run."""

    id: str
    email: str
    token: str


@dataclass
class Organization:
    """An organization with its active members, the owner first."""

    id: str
    members: list[Person]


@dataclass
class Task:
    """A task as its worker knows it."""

    id: str
    title: str
    assignees: set[str]
    status: str = "open"


@dataclass
class Worker:
    """A member at work, on `tasks` that nobody else touches."""

    client: Client
    org: Organization
    who: Person
    dice: random.Random
    name: str
    project: str | None = None
    tasks: list[Task] = field(default_factory=list)
    marks: int = 0

    async def work(self) -> None:
        """Send one random command."""
        if self.project is None:
            await self.create_project()
        elif not self.tasks:
            await self.create_task()
        else:
            choices = (self.create_task, self.assign, self.comment, self.move, self.invite, self.create_project)
            await self.dice.choices(choices, (40, 18, 20, 12, 6, 4))[0]()

    def mark(self, word: str) -> str:
        """A text that is in one command only."""
        self.marks += 1
        return f"{word}{self.name}n{self.marks}"

    async def create_project(self) -> None:
        key = self.mark("P").upper()
        effects = [Effect("tasks.project.created.v1", key)]
        body = {"key": key, "name": f"Project {key}"}
        project = await self.client.ask("project", self.who.token, ("tasks", "POST", "/v1/projects"), body, effects)
        if project is not None:
            self.project = project["id"]

    async def create_task(self) -> None:
        title = self.mark("task")
        wanted = min(self.dice.choice((0, 1, 1, 2)), len(self.org.members))
        assignees = [person.id for person in self.dice.sample(self.org.members, wanted)]
        effects = [Effect("tasks.task.created.v1", title)]
        effects += [Effect("tasks.task.assigned.v1", f"{title}>{user_id}") for user_id in assignees]
        body = {"project_id": self.project, "title": title, "assignee_ids": assignees}
        task = await self.client.ask("task", self.who.token, ("tasks", "POST", "/v1/tasks"), body, effects)
        if task is not None:
            self.tasks = [*self.tasks, Task(task["id"], title, set(assignees))][-OPEN_TASKS:]

    async def assign(self) -> None:
        task = self.dice.choice(self.tasks)
        free = [person.id for person in self.org.members if person.id not in task.assignees]
        if not free:
            return await self.create_task()
        user_id = self.dice.choice(free)
        effects = [Effect("tasks.task.assigned.v1", f"{task.title}>{user_id}")]
        call = ("tasks", "PUT", f"/v1/tasks/{task.id}/assignees/{user_id}")
        done = await self.client.ask("assign", self.who.token, call, None, effects)
        self._forget_unless(done, task)
        task.assignees.add(user_id)
        return None

    async def move(self) -> None:
        task = self.dice.choice(self.tasks)
        status = self.dice.choice([each for each in STATUSES if each != task.status])
        effects = [Effect("tasks.task.status_changed.v1", f"{task.title}={status}")]
        call = ("tasks", "PUT", f"/v1/tasks/{task.id}/status")
        done = await self.client.ask("move", self.who.token, call, {"status": status}, effects)
        self._forget_unless(done, task)
        task.status = status

    async def comment(self) -> None:
        task = self.dice.choice(self.tasks)
        text = f"{self.mark('note')} for @{self.dice.choice(self.org.members).email}"
        call = ("tasks", "POST", f"/v1/tasks/{task.id}/comments")
        effects = [Effect("tasks.comment.added.v1", text)]
        await self.client.ask("comment", self.who.token, call, {"text": text}, effects)

    async def invite(self) -> None:
        await invite(self.client, self.org, f"{self.mark('guest').lower()}@{DOMAIN}", Role.MEMBER)

    def _forget_unless(self, done: Any, task: Task) -> None:
        """Leave a task alone if its change was refused or not answered: its state is unknown then."""
        if done is None and task in self.tasks:
            self.tasks.remove(task)


async def invite(client: Client, org: Organization, email: str, role: Role) -> None:
    call = ("tenancy", "POST", f"/v1/organizations/{org.id}/invitations")
    effects = [Effect("tenancy.invitation.created.v1", email)]
    await client.ask("invite", org.members[0].token, call, {"email": email, "role": role.value}, effects)


class Founder:
    """Creates organizations as people do: create one, invite members, accept with the token from the e-mail."""

    def __init__(self, client: Client, issuer: DevelopmentIssuer, mailbox: Callable[[], list[Mail]]) -> None:
        self._client, self._issuer, self._mailbox = client, issuer, mailbox

    async def found_organization(self, name: str, members: int) -> Organization:
        owner = self._person(f"owner-{name}")
        effects = [Effect("tenancy.organization.created.v1", name)]
        body = {"name": name.title(), "slug": name}
        founded = await self._client.ask("found", owner.token, ("tenancy", "POST", "/v1/organizations"), body, effects)
        org = Organization(founded["id"], [self._person(owner.email.partition("@")[0], founded["id"], Role.OWNER)])
        plan = ("tenancy", "PUT", f"/v1/organizations/{org.id}/plan")
        changed = [Effect("tenancy.organization.plan_changed.v1", f"{org.id}=enterprise")]
        await self._client.ask("plan", org.members[0].token, plan, {"plan": "enterprise"}, changed)
        names = [f"member{number}-{name}" for number in range(members)]
        org.members += await asyncio.gather(*(self._join(org, each) for each in names))
        await self._wait_until_assignable(org)
        return org

    async def _wait_until_assignable(self, org: Organization) -> None:
        """Wait until the list of possible assignees has every member, since tasks are assigned to them."""
        async with asyncio.timeout(MAIL_SECONDS):
            while True:
                page = await self._client.read(org.members[0].token, "tasks", "/v1/assignees")
                if {person.id for person in org.members} <= {each["user_id"] for each in page["items"]}:
                    return
                await asyncio.sleep(0.1)

    async def _join(self, org: Organization, name: str) -> Person:
        stranger = self._person(name)
        await invite(self._client, org, stranger.email, Role.MANAGER)
        token = await self._invitation_token(stranger.email)
        effects = [Effect("tenancy.invitation.accepted.v1", stranger.email, "once")]
        call = ("tenancy", "POST", "/v1/invitations/accept")
        await self._client.ask("accept", stranger.token, call, {"token": token}, effects)
        return self._person(name, org.id, Role.MANAGER)

    async def _invitation_token(self, email: str) -> str:
        async with asyncio.timeout(MAIL_SECONDS):
            while True:
                for mail in await asyncio.to_thread(self._mailbox):
                    if mail.to == (email,) and (match := TOKEN.search(mail.text)):
                        return match[1]
                await asyncio.sleep(0.1)

    def _person(self, name: str, org: str | None = None, role: Role | None = None) -> Person:
        user_id, email = f"user_{re.sub('[^a-z0-9]', '', name)}", f"{name}@{DOMAIN}"
        claims = TokenClaims(user_id=user_id, email=email, name=name, org=org, role=role, mv=1 if org else 0)
        return Person(user_id, email, self._issuer.token(claims))

"""The day itself, in phases. Everything that a client does is written into the ledger, and nothing else is."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from examples.first_day.client import Api, Person, UnexpectedAnswerError
from examples.first_day.inputs import Inputs, Invitee
from examples.first_day.ledger import PROJECTIONS, Ledger
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
    removal_ms: float = 0.0
    reached: Callable[[str], Awaitable[None]] | None = None
    """Told of each milestone, so that a test can do harm there."""

    async def play(self) -> None:
        """Raises UnexpectedAnswerError when the system does not answer as it should."""
        cast = self._cast()
        async with self._phase("founding"):
            await self._found(cast.founder)
        async with self._phase("inviting"):
            await self._invite(cast)
        async with self._phase("joining"):
            await self._join(cast)
        manager = next(p for p in self.people.values() if p.role == "manager")
        async with self._phase("importing"):
            await self._import_backlog(manager)
        async with self._phase("working"):
            await self._work(manager)
        async with self._phase("uploading"):
            await self._upload()
        async with self._phase("removing"):
            await self._remove(cast)

    @asynccontextmanager
    async def _phase(self, name: str) -> AsyncIterator[None]:
        started = time.monotonic()
        await self._reach(name)
        yield
        self.seconds[name] = round(time.monotonic() - started, 2)

    async def _reach(self, milestone: str) -> None:
        if self.reached is not None:
            await self.reached(milestone)

    def address(self, email: str) -> str:
        local, _, domain = email.partition("@")
        return f"{local}@{self.domain or domain}"

    def _cast(self) -> Cast:
        idle = [p for p in self.inputs.least_busy() if p.role in ("viewer", "member")]
        declining, revoked = idle[0], idle[1]
        leaving = next(p for p in idle[2:] if p.role == "member")
        joining = [p for p in self.inputs.good_people if p not in (declining, revoked)]
        domain = self.inputs.good_people[0].email.partition("@")[2]
        founder = Person(self.api, self.address(f"ada.founder@{domain}"), "Ada Byrne", "owner")
        return Cast(founder, declining, revoked, leaving, joining)

    # --- founding

    async def _found(self, ada: Person) -> None:
        self.tell("The founder signs up, confirms and signs in")
        await ada.sign_up()
        await ada.confirm(await self.mailroom.code(ada.email))
        self.ledger.registered(ada.user_id, ada.email)
        wrong = {"email": ada.email, "password": "Not-my-password-1"}
        await self.api.call("POST", "/v1/auth/sign-in", json=wrong, expect=401)
        self.ledger.event("identity.sign_in.failed.v1")
        await ada.sign_in()
        self.ledger.event("identity.user.signed_in.v1")
        [personal] = await self._until(lambda: self.api.pages("/v1/organizations", ada.token), lambda found: found)
        self.ledger.org_created(personal["id"], ada.user_id)
        self.tell("creates the organization, upgrades it and switches to it")
        body = {"name": self.slug.title(), "slug": self.slug}
        self.org_id = (await ada.call("POST", "/v1/organizations", json=body, expect=201))["id"]
        self.ledger.org_created(self.org_id, ada.user_id)
        await self.api.call("POST", "/v1/organizations", token=ada.token, json=body, expect=409)
        await ada.call("PUT", f"/v1/organizations/{self.org_id}/plan", json={"plan": "starter"})
        self.ledger.event("tenancy.organization.plan_changed.v1")
        await ada.call("PUT", "/v1/me/active-organization", json={"org_id": self.org_id})
        self.ledger.event("identity.active_org.switched.v1")
        await ada.refresh()
        self.people[ada.email.lower()] = ada

    # --- inviting

    async def _invite(self, cast: Cast) -> None:
        self.tell(f"invites {len(self.inputs.people)} people in one call")
        rows = [{"email": self.address(p.email) if p.good else p.email, "role": p.role} for p in self.inputs.people]
        repeated = {p.row for p in self.inputs.people if not p.good and p.email.count("@") == 1}
        rows = [
            {**row, "email": self.address(person.email)} if person.row in repeated else row
            for row, person in zip(rows, self.inputs.people, strict=True)
        ]
        path = f"/v1/organizations/{self.org_id}/invitations"
        answer = await cast.founder.call("POST", f"{path}/bulk", json={"invitations": rows})
        results = answer["results"]
        for person, result in zip(self.inputs.people, results, strict=True):
            wanted = "invited" if person.good else "refused"
            if result["status"] != wanted or (wanted == "refused") != bool(result.get("reason")):
                raise UnexpectedAnswerError(f"row {person.row} ({person.email}): expected {wanted}, got {result}")
            if person.good:
                self.ledger.invited()
        for refused in (result for result in results if result["status"] == "refused"):
            self.tell(f"row {refused['row']} is refused: {refused['reason']}")
        revoked = results[cast.revoked.row - 1]["invitation_id"]
        token = await self.mailroom.invitation(self.address(cast.revoked.email))
        await cast.founder.call("DELETE", f"{path}/{revoked}", expect=204)
        self.ledger.event("tenancy.invitation.revoked.v1")
        await cast.founder.call("POST", "/v1/invitations/accept", json={"token": token}, expect=(404, 409))

    # --- joining

    async def _join(self, cast: Cast) -> None:
        self.tell(f"{len(cast.joining)} people sign up and accept with the token from their e-mail; one declines")
        await self._crowd(self._join_one(invitee) for invitee in cast.joining)
        await self._decline(cast.declining)

    async def _enter(self, invitee: Invitee) -> tuple[Person, str]:
        person = Person(self.api, self.address(invitee.email), invitee.name, invitee.role)
        invitation = await self.mailroom.invitation(person.email)
        await person.sign_up(invitation)
        await person.confirm(await self.mailroom.code(person.email))
        self.ledger.registered(person.user_id, person.email)
        await person.sign_in()
        self.ledger.event("identity.user.signed_in.v1")
        return person, invitation

    async def _join_one(self, invitee: Invitee) -> None:
        person, invitation = await self._enter(invitee)
        answer = await person.call("POST", "/v1/invitations/accept", json={"token": invitation})
        if (answer["org_id"], answer["role"]) != (self.org_id, invitee.role):
            raise UnexpectedAnswerError(f"{person.email} got {answer.body}")
        self.ledger.event("tenancy.invitation.accepted.v1")
        self.ledger.joined(self.org_id, person.user_id, invitee.role)
        await self._until(lambda: self._refreshed_me(person), lambda me: me["organizations"])
        await person.refresh()
        self.people[person.email.lower()] = person

    async def _refreshed_me(self, person: Person) -> dict[str, Any]:
        me: dict[str, Any] = (await person.call("GET", "/v1/me")).body
        return me

    async def _decline(self, invitee: Invitee) -> None:
        person, invitation = await self._enter(invitee)
        await person.call("POST", "/v1/invitations/decline", json={"token": invitation}, expect=204)
        self.ledger.event("tenancy.invitation.declined.v1")

    # --- importing

    async def _import_backlog(self, manager: Person) -> None:
        keys = sorted({row.project for row in self.inputs.backlog})
        self.tell(f"{manager.name} creates {len(keys)} projects and imports {self.inputs.backlog_rows} rows")
        for key in keys:
            answer = await manager.call("POST", "/v1/projects", json={"key": key, "name": f"Project {key}"}, expect=201)
            self.projects[key] = answer["id"]
            self.ledger.event("tasks.project.created.v1")
            self.ledger.projects[answer["id"]] = self.ledger.projects[answer["id"]]
        await self._until(lambda: self.api.pages("/v1/assignees", manager.token), self._knows_everybody)
        text = self.inputs.backlog_text
        for row in {person.email for person in self.inputs.good_people}:
            text = text.replace(row, self.address(row))
        body = text.encode()
        answer = await manager.call("POST", "/v1/imports", data=body, content_type="text/csv", expect=202)
        await self._reach("import accepted")
        path = f"/v1/imports/{answer['id']}"
        report = await self._until(
            lambda: manager.call("GET", path), lambda answer: answer["status"] == "completed", seconds=120
        )
        self._check_import(report.body, manager)

    def _knows_everybody(self, assignees: list[dict[str, Any]]) -> bool:
        return {person.user_id for person in self.people.values()} <= {each["user_id"] for each in assignees}

    def _check_import(self, report: dict[str, Any], manager: Person) -> None:
        assigned: Counter[str] = Counter()
        good = 0
        for row in self.inputs.backlog:
            assignee = self.people.get(self.address(row.assignee).lower()) if row.assignee else None
            if row.assignee and assignee is None:
                continue
            good += 1
            self.ledger.task_created(self.projects[row.project])
            if assignee is not None:
                assigned[assignee.user_id] += 1
                self.ledger.task_assigned(assignee.user_id, manager.user_id, imported=True)
        self.ledger.imported(manager.user_id, assigned)
        bad = self.inputs.backlog_rows - good
        if (report["created"], report["failed"], len({e["row"] for e in report["errors"]})) != (good, bad, bad):
            raise UnexpectedAnswerError(f"the import should make {good} tasks and report {bad} rows: {report}")
        for error in report["errors"]:
            self.tell(f"backlog row {error['row']}, {error['field']}: {error['message']}")

    # --- working

    async def _work(self, manager: Person) -> None:
        workers = [p for p in self.people.values() if p.role in ("member", "manager", "admin")]
        self.tell("People assign, comment with @mentions, move tasks through their statuses, and complete some")
        project = next(iter(self.projects.values()))
        await self._crowd(
            self._task_story(manager, workers[i % len(workers)], workers[(i + 1) % len(workers)], project, i)
            for i in range(12)
        )
        await self._reach("half of the work")
        await self._crowd(self._work_off(person) for person in workers)
        viewer = next((p for p in self.people.values() if p.role == "viewer"), None)
        if viewer is not None:
            body = {"project_id": project, "title": "Not mine to create"}
            await self.api.call("POST", "/v1/tasks", token=viewer.token, json=body, expect=403)

    async def _task_story(self, manager: Person, worker: Person, helper: Person, project: str, number: int) -> None:
        body = {"project_id": project, "title": f"Kick-off {number + 1}", "priority": "high", "due_on": "2026-12-04"}
        task = await manager.call("POST", "/v1/tasks", json=body, expect=201)
        self.ledger.task_created(project)
        path = f"/v1/tasks/{task['id']}"
        await manager.call("PUT", f"{path}/assignees/{worker.user_id}")
        self.ledger.task_assigned(worker.user_id, manager.user_id)
        if number == 0 or worker is manager:
            self.assignment = {"task_id": task["id"], "assignee_id": worker.user_id, "email": worker.email}
        mentioned = {p.user_id for p in (helper, manager)} - {worker.user_id}
        text = f"I start today. @{helper.email} could you review? @{manager.email.upper()} for your information."
        await worker.call("POST", f"{path}/comments", json={"text": text}, expect=201)
        self.ledger.commented(len(mentioned))
        previous = "open"
        for status in ("in_progress", "in_review", "done"):
            await worker.call("PUT", f"{path}/status", json={"status": status})
            self.ledger.task_moved(project, [worker.user_id], previous, status)
            previous = status

    async def _work_off(self, person: Person) -> None:
        """Everybody takes up to three of their imported tasks and finishes the first."""
        tasks = await self.api.pages("/v1/tasks", person.token, {"assignee_id": person.user_id})
        mine = sorted((t for t in tasks if t["status"] == "open"), key=lambda t: (t["project_id"], t["number"]))[:3]
        for position, task in enumerate(mine):
            path, project = f"/v1/tasks/{task['id']}", task["project_id"]
            await person.call("PUT", f"{path}/status", json={"status": "in_progress"})
            self.ledger.task_moved(project, task["assignee_ids"], "open", "in_progress")
            if position == 0:
                await person.call("PUT", f"{path}/status", json={"status": "done"})
                self.ledger.task_moved(project, task["assignee_ids"], "in_progress", "done")

    # --- uploading

    async def _upload(self) -> None:
        members = [p for p in self.people.values() if p.role in ("member", "manager", "admin")]
        self.tell(f"Members upload {len(self.inputs.uploads)} files")
        pairs = [(members[at % len(members)], upload) for at, upload in enumerate(self.inputs.uploads)]
        await self._crowd(self._upload_one(person, upload) for person, upload in pairs)

    async def _upload_one(self, person: Person, upload: Any) -> None:
        content = upload.path.read_bytes()
        body = {"name": upload.path.name, "content_type": upload.content_type, "size": len(content)}
        if isinstance(upload.fate, int):
            refused = await self.api.call("POST", "/v1/files", token=person.token, json=body, expect=upload.fate)
            self.ledger.refused_files.add(upload.path.name)
            self.tell(f"{upload.path.name} is refused: {refused['detail']}")
            return
        answer = await person.call("POST", "/v1/files", json=body, expect=201)
        form = answer["upload"]
        await self._post(form["url"], form["fields"], content, upload.path.name)
        is_picture = upload.content_type.startswith("image/") or upload.content_type == "application/pdf"
        has_text = upload.content_type in ("application/pdf", "text/plain", "text/csv")
        self.ledger.uploaded(answer["id"], upload.fate, picture=is_picture, text=has_text)
        await self._until(
            lambda: person.call("GET", f"/v1/files/{answer['id']}"), lambda file: file["status"] == upload.fate
        )

    async def _post(self, url: str, fields: dict[str, str], content: bytes, name: str) -> None:
        import aiohttp  # noqa: PLC0415  (the form is the only thing that speaks to the store directly)

        form = aiohttp.FormData()
        for key, value in fields.items():
            form.add_field(key, value)
        form.add_field("file", content, filename=name)
        async with self.api.session.post(url, data=form) as answer:
            if answer.status not in (200, 201, 204):
                raise UnexpectedAnswerError(f"the store answered {answer.status}: {await answer.text()}")

    # --- removing

    async def _remove(self, cast: Cast) -> None:
        admin = next((p for p in self.people.values() if p.role == "admin"), cast.founder)
        leaving = self.people[self.address(cast.leaving.email).lower()]
        self.tell(f"{leaving.name} is removed, and their token stops working")
        await leaving.call("GET", "/v1/projects")
        started = time.monotonic()
        await admin.call("DELETE", f"/v1/organizations/{self.org_id}/members/{leaving.user_id}", expect=204)
        self.ledger.removed(self.org_id, leaving.user_id)
        both = (200, 401)
        await self._until(
            lambda: self.api.call("GET", "/v1/projects", token=leaving.token, expect=both),
            lambda answer: answer.status == 401,
        )
        self.removal_ms = round((time.monotonic() - started) * 1000, 1)

    # --- helpers

    async def _until(
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

    async def _crowd(self, stories: Iterable[Awaitable[None]]) -> None:
        """Several people at once, CROWD at most."""
        room = asyncio.Semaphore(CROWD)

        async def admitted(story: Awaitable[None]) -> None:
            async with room:
                await story

        await asyncio.gather(*(admitted(story) for story in stories))


__all__ = ["PROJECTIONS", "Cast", "Day"]

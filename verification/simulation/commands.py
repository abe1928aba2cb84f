"""Steps of people. Each takes two numbers that select among what is possible now, and does nothing if nothing is.

So any sequence of steps can be played, and shrunk.
"""

import json
from collections.abc import Sequence
from typing import TypeVar

from contracts.common import TaskStatus
from tests.services.files.fakes import object_created
from verification.simulation.client import Client
from verification.simulation.ledger import Effect, Organization, Person, Task, Upload

T = TypeVar("T")
OPERATIONS = ("tasks.import.create", "tasks.project.create", "files.file.create")
ROLES = ("manager", "member", "admin", "viewer")
DOMAIN = "acme.example"


class Commands:
    """Every step of people, by its name."""

    def __init__(self, client: Client) -> None:
        self._client, self._world, self._ledger = client, client.world, client.ledger

    # --- people

    def sign_up(self, a: int, b: int) -> None:
        self._client.sign_up(f"{self._ledger.mark('person')}@{DOMAIN}")

    def sign_in(self, a: int, b: int) -> None:
        if person := _pick(self._signed_in_people, a):
            self._client.sign_in(person.email)

    def sign_in_wrongly(self, a: int, b: int) -> None:
        email = f"{self._ledger.mark('nobody')}@{DOMAIN}"
        body = {"email": email, "password": "Not-my-password-1"}
        effects = [Effect("identity.sign_in.failed.v1", email, "maybe")]
        self._client.ask("guess", None, ("identity", "POST", "/v1/auth/sign-in"), body, effects)

    def switch(self, a: int, b: int) -> None:
        if (org := self._organization(a)) and (email := _pick(org.members, b)):
            person = self._ledger.people[email]
            effects = [Effect("identity.active_org.switched.v1", f"{person.id}@{org.id}", "once")]
            call = ("identity", "PUT", "/v1/me/active-organization")
            self._client.ask("switch", email, call, {"org_id": org.id}, effects, then="switched", email=email)

    # --- organizations

    def create_organization(self, a: int, b: int) -> None:
        if person := _pick(self._signed_in_people, a):
            slug = self._ledger.mark("slug-")
            effects = [Effect("tenancy.organization.created.v1", slug)]
            call = ("tenancy", "POST", "/v1/organizations")
            body = {"name": slug.title(), "slug": slug}
            self._client.ask("found", person.email, call, body, effects, then="founded", email=person.email)

    def change_plan(self, a: int, b: int) -> None:
        if org := self._organization(a):
            plan = ("starter", "free")[b % 2]
            effects = [Effect("tenancy.organization.plan_changed.v1", f"{org.id}={plan}", "maybe")]
            call = ("tenancy", "PUT", f"/v1/organizations/{org.id}/plan")
            self._client.ask("plan", org.owner, call, {"plan": plan}, effects)

    def change_settings(self, a: int, b: int) -> None:
        if org := self._organization(a):
            origin = f"https://{self._ledger.mark('app')}.example"
            effects = [Effect("tenancy.organization.changed.v1", f"{org.id}={origin}")]
            call = ("tenancy", "PATCH", f"/v1/organizations/{org.id}")
            self._client.ask("settings", org.owner, call, {"settings": {"allowed_origins": [origin]}}, effects)

    def invite(self, a: int, b: int) -> None:
        if org := self._organization(a):
            strangers = [person.email for person in self._signed_in_people if person.email not in org.members]
            existing = (
                _pick([email for email in strangers if email not in self._ledger.invited_addresses], a)
                if b % 2
                else None
            )
            email = existing or f"{self._ledger.mark('guest')}@{DOMAIN}"
            self._ledger.invited_addresses.add(email)
            effects = [Effect("tenancy.invitation.created.v1", email)]
            call = ("tenancy", "POST", f"/v1/organizations/{org.id}/invitations")
            body = {"email": email, "role": ROLES[b % len(ROLES)]}
            self._client.ask("invite", org.owner, call, body, effects, then="invited", org=org.id, email=email)

    def join(self, a: int, b: int) -> None:
        """Sign up with an invitation from the mailbox and accept it; if there is none, invite somebody."""
        for email, token in self._pending_invitations():
            if email not in self._ledger.people:
                self._client.sign_up(email, token)
                return
        self.invite(a, b)

    def accept(self, a: int, b: int) -> None:
        invitations = [
            (person, token) for email, token in self._pending_invitations() if (person := self._person(email))
        ]
        if invitation := _pick(invitations, a):
            self._client.accept(*invitation)

    def decline(self, a: int, b: int) -> None:
        invitations = [(email, token) for email, token in self._pending_invitations() if self._person(email)]
        if invitation := _pick(invitations, a):
            email, token = invitation
            effects = [Effect("tenancy.invitation.declined.v1", email, "once")]
            call = ("tenancy", "POST", "/v1/invitations/decline")
            self._client.ask("decline", email, call, {"token": token}, effects, then="declined", email=email)

    def revoke(self, a: int, b: int) -> None:
        if (org := self._organization(a)) and (email := _pick(sorted(org.invited), b)):
            effects = [Effect("tenancy.invitation.revoked.v1", email, "once")]
            call = ("tenancy", "DELETE", f"/v1/organizations/{org.id}/invitations/{org.invited[email]}")
            self._client.ask("revoke", org.owner, call, None, effects, then="declined", email=email)

    def remove(self, a: int, b: int) -> None:
        if (org := self._organization(a)) and (email := _pick(org.members[1:], b)):
            user_id = self._ledger.people[email].id
            self._ledger.removed.add((org.id, user_id))
            effects = [Effect("tenancy.member.removed.v1", f"{user_id}@{org.id}", "once")]
            call = ("tenancy", "DELETE", f"/v1/organizations/{org.id}/members/{user_id}")
            self._client.ask("remove", org.owner, call, None, effects, then="removed", org=org.id, email=email)

    def change_role(self, a: int, b: int) -> None:
        if (org := self._organization(a)) and (email := _pick(org.members[1:], b)):
            user_id, role = self._ledger.people[email].id, ROLES[(a + b) % len(ROLES)]
            effects = [Effect("tenancy.member.role_changed.v1", f"{user_id}@{org.id}={role}", "maybe")]
            call = ("tenancy", "PATCH", f"/v1/organizations/{org.id}/members/{user_id}")
            self._client.ask("role", org.owner, call, {"role": role}, effects)

    def change_permissions(self, a: int, b: int) -> None:
        if (org := self._organization(a)) and (email := _pick(org.members[1:], b)):
            user_id, operation = self._ledger.people[email].id, OPERATIONS[(a + b) % len(OPERATIONS)]
            body = {"grants": [operation], "denies": []}
            effects = [Effect("tenancy.member.permissions_changed.v1", f"{user_id}@{org.id}={operation}", "maybe")]
            call = ("tenancy", "PUT", f"/v1/organizations/{org.id}/members/{user_id}/permissions")
            self._client.ask("permissions", org.owner, call, body, effects)

    # --- work

    def create_project(self, a: int, b: int) -> None:
        if worker := self._worker(a, 0):
            org, person = worker
            key = f"P{self._ledger.mark('')}"
            effects = [Effect("tasks.project.created.v1", key)]
            body = {"key": key, "name": f"Project {key}"}
            call = ("tasks", "POST", "/v1/projects")
            self._client.ask("project", person.email, call, body, effects, then="project", org=org.id)

    def create_task(self, a: int, b: int) -> None:
        worker = self._worker(a, b)
        project = _pick(sorted(worker[0].projects.values()), b) if worker else None
        if worker and project:
            org, person = worker
            title = self._ledger.mark("task")
            assignees = [self._id(email) for email in org.members[: b % 3]]
            effects = [Effect("tasks.task.created.v1", title)]
            effects += [Effect("tasks.task.assigned.v1", f"{title}>{user_id}") for user_id in assignees]
            body = {"project_id": project, "title": title, "assignee_ids": assignees}
            call = ("tasks", "POST", "/v1/tasks")
            self._client.ask("task", person.email, call, body, effects, then="task", org=org.id)

    def assign(self, a: int, b: int) -> None:
        if choice := self._task(a, b):
            org, person, task = choice
            user_id = self._id(org.members[b % len(org.members)])
            effects = [Effect("tasks.task.assigned.v1", f"{task.title}>{user_id}", "once")]
            call = ("tasks", "PUT", f"/v1/tasks/{task.id}/assignees/{user_id}")
            self._client.ask("assign", person.email, call, None, effects)

    def unassign(self, a: int, b: int) -> None:
        if choice := self._task(a, b):
            org, person, task = choice
            user_id = self._id(org.members[b % len(org.members)])
            effects = [Effect("tasks.task.unassigned.v1", f"{task.title}>{user_id}", "maybe")]
            call = ("tasks", "DELETE", f"/v1/tasks/{task.id}/assignees/{user_id}")
            self._client.ask("unassign", person.email, call, None, effects)

    def move(self, a: int, b: int) -> None:
        if choice := self._task(a, b):
            _, person, task = choice
            status = list(TaskStatus)[b % len(TaskStatus)].value
            effects = [Effect("tasks.task.status_changed.v1", f"{task.title}={status}", "maybe")]
            call = ("tasks", "PUT", f"/v1/tasks/{task.id}/status")
            self._client.ask("move", person.email, call, {"status": status}, effects)

    def comment(self, a: int, b: int) -> None:
        if choice := self._task(a, b):
            org, person, task = choice
            text = f"{self._ledger.mark('note')} for @{org.members[b % len(org.members)]}"
            call = ("tasks", "POST", f"/v1/tasks/{task.id}/comments")
            effects = [Effect("tasks.comment.added.v1", text)]
            self._client.ask("comment", person.email, call, {"text": text}, effects)

    def import_rows(self, a: int, b: int) -> None:
        """Import three rows: plain, assigned to a member (whom tasks may not know yet), and without a project."""
        worker = self._worker(a, 0)
        if worker and worker[0].projects:
            org, person = worker
            key = sorted(org.projects)[b % len(org.projects)]
            plain, assigned = self._ledger.mark("row"), self._ledger.mark("row")
            email = org.members[b % len(org.members)]
            text = f"project,title,assignee\n{key},{plain},\n{key},{assigned},{email}\nNONE,{assigned},\n"
            effects = [Effect("tasks.import.requested.v1", person.id)]
            effects += [Effect("tasks.task.created.v1", plain), Effect("tasks.task.created.v1", assigned, "maybe")]
            effects += [Effect("tasks.task.assigned.v1", f"{assigned}>{self._id(email)}", "maybe")]
            self._client.ask("import", person.email, ("tasks", "POST", "/v1/imports"), text, effects)

    # --- files

    def request_upload(self, a: int, b: int) -> None:
        if worker := self._worker(a, b):
            name = self._ledger.mark("file")
            body = {"name": name, "content_type": "text/plain", "size": len(_content(name, good=True))}
            effects = [Effect("files.upload.requested.v1", name)]
            call = ("files", "POST", "/v1/files")
            self._client.ask("upload", worker[1].email, call, body, effects, then="form", name=name)

    def upload(self, a: int, b: int) -> None:
        """Upload a file; one in three differs from its request. The store announces the upload, sometimes twice."""
        if form := _pick(self._ledger.forms, a):
            self._ledger.forms.remove(form)
            fields, name = form
            good = b % 3 > 0
            content = _content(name, good=good)
            self._ledger.uploads[name] = Upload(name, content, good)
            store = self._world.state.outside.store
            version = store.add(fields["fields"]["key"], content, "text/plain")
            self._world.emit(object_created(fields["fields"]["key"], version), copies=1 + (b % 5 == 0))
        else:
            self.request_upload(a, b)

    # --- again

    def retry(self, a: int, b: int) -> None:
        if command := _pick(self._ledger.open, a):
            self._client.send(command)

    # --- what is possible

    @property
    def _signed_in_people(self) -> list[Person]:
        return [person for person in self._ledger.people.values() if person.token]

    def _person(self, email: str) -> Person | None:
        person = self._ledger.people.get(email)
        return person if person and person.token else None

    def _id(self, email: str) -> str:
        return self._ledger.people[email].id

    def _organization(self, a: int) -> Organization | None:
        return _pick(list(self._ledger.organizations.values()), a)

    def _worker(self, a: int, b: int) -> tuple[Organization, Person] | None:
        """An organization and a member who is signed in to it."""
        present = [
            (org, [person for email in org.members if (person := self._person(email)) and person.org == org.id])
            for org in self._ledger.organizations.values()
        ]
        if staffed := _pick([each for each in present if each[1]], a):
            org, people = staffed
            return org, people[b % len(people)]
        return None

    def _task(self, a: int, b: int) -> tuple[Organization, Person, Task] | None:
        worker = self._worker(a, b)
        task = _pick(worker[0].tasks, a + b) if worker else None
        return (*worker, task) if worker and task else None

    def _pending_invitations(self) -> list[tuple[str, str]]:
        """Invitations in mailboxes that are still pending: (address, token)."""
        pending = {email for org in self._ledger.organizations.values() for email in org.invited}
        newest = {mail.to: json.loads(mail.text) for mail in self._world.state.outside.mails}
        return [(email, values["token"]) for email, values in newest.items() if email in pending and "token" in values]


def _content(name: str, *, good: bool) -> bytes:
    """Content of a file. A bad one has the announced size, but is not a text."""
    return f"content of {name}".encode() if good else b"\x00ontent of " + name.encode()


def _pick(choices: Sequence[T], number: int) -> T | None:
    return choices[number % len(choices)] if choices else None


COMMANDS = tuple(name for name in vars(Commands) if not name.startswith("_"))

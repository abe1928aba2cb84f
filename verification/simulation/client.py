"""A careful client: repeats unanswered commands with the same Idempotency-Key, and relies only on acknowledged ones."""

import json
from typing import Any

from verification.simulation.asgi import Answer
from verification.simulation.ledger import Command, Effect, Organization, Person, Task
from verification.simulation.world import World

PASSWORD = "Blue-Harbor-47"


class Client:
    """The client of everybody in the simulation."""

    def __init__(self, world: World) -> None:
        self.world, self.ledger = world, world.state.ledger

    def ask(
        self,
        kind: str,
        who: str | None,
        call: tuple[str, str, str],
        body: Any,
        effects: list[Effect],
        *,
        then: str | None = None,
        **about: str,
    ) -> Command:
        """Make a command and send it once. `call` is the service, the method and the path."""
        number = len(self.ledger.commands) + 1
        token = self.ledger.people[who].token if who is not None else None
        command = Command(number, kind, token, *call, body, effects, then, about)
        self.ledger.commands.append(command)
        self.send(command)
        return command

    def send(self, command: Command) -> None:
        """Send a command, for the first time or again."""
        command.tries += 1
        answer, is_running = self.world.request(
            command.service, command.method, command.path, _bytes(command.body), self._headers(command)
        )
        command.lingers |= is_running
        if answer is None or answer.asks_to_retry:
            return
        if not answer.acknowledges:
            command.refused = answer.status
            return
        command.acknowledged = True
        if command.then:
            getattr(self, f"_then_{command.then}")(command, answer)

    def _headers(self, command: Command) -> dict[str, str]:
        body = "text/csv" if isinstance(command.body, str) else "application/json"
        headers = {"Content-Type": body, "Content-Length": str(len(_bytes(command.body)))}
        if command.kind != "refresh":
            headers["Idempotency-Key"] = command.key
        if command.token is not None:
            headers["Authorization"] = f"Bearer {command.token}"
        return headers

    # --- people

    def sign_up(self, email: str, invitation: str | None = None) -> None:
        """Sign up, then confirm and sign in, each once the step before is acknowledged."""
        self.ledger.people[email] = Person(email, email.partition("@")[0], invitation=invitation)
        body = {"email": email, "password": PASSWORD, "name": email.partition("@")[0]}
        if invitation:
            body["invitation_token"] = invitation
        self.ask("sign up", None, ("identity", "POST", "/v1/auth/sign-up"), body, [], then="confirm", email=email)

    def sign_in(self, email: str) -> None:
        person = self.ledger.people[email]
        body = {"email": email, "password": PASSWORD}
        effects = [Effect("identity.user.signed_in.v1", person.id)]
        self.ask("sign in", None, ("identity", "POST", "/v1/auth/sign-in"), body, effects, then="session", email=email)

    def refresh(self, email: str) -> None:
        body = {"refresh_token": self.ledger.people[email].refresh_token}
        self.ask("refresh", None, ("identity", "POST", "/v1/auth/refresh"), body, [], then="session", email=email)

    def _then_confirm(self, command: Command, answer: Answer) -> None:
        email = command.about["email"]
        self.ledger.people[email].id = answer.json()["user_id"]
        body = {"email": email, "code": self.world.state.provider.codes[email]}
        effects = [Effect("identity.user.registered.v1", email)]
        self.ask("confirm", None, ("identity", "POST", "/v1/auth/confirm"), body, effects, then="sign_in", email=email)

    def _then_sign_in(self, command: Command, _answer: Answer) -> None:
        self.sign_in(command.about["email"])

    def _then_session(self, command: Command, answer: Answer) -> None:
        person, session = self.ledger.people[command.about["email"]], answer.json()
        person.token, person.refresh_token = session["access_token"], session["refresh_token"]
        person.org = json.loads(person.token).get("org")
        if person.invitation is not None:
            token, person.invitation = person.invitation, None
            self.accept(person, token)

    # --- organizations

    def accept(self, person: Person, token: str) -> None:
        effects = [Effect("tenancy.invitation.accepted.v1", person.email, "once")]
        self.ask(
            "accept",
            person.email,
            ("tenancy", "POST", "/v1/invitations/accept"),
            {"token": token},
            effects,
            then="joined",
            email=person.email,
        )

    def _then_joined(self, command: Command, answer: Answer) -> None:
        organization = self.ledger.organizations[answer.json()["org_id"]]
        organization.invited.pop(command.about["email"], None)
        if command.about["email"] not in organization.members:
            organization.members.append(command.about["email"])

    def _then_declined(self, command: Command, _answer: Answer) -> None:
        for organization in self.ledger.organizations.values():
            organization.invited.pop(command.about["email"], None)

    def _then_founded(self, command: Command, answer: Answer) -> None:
        body = answer.json()
        self.ledger.organizations[body["id"]] = Organization(body["id"], body["slug"], [command.about["email"]])

    def _then_switched(self, command: Command, _answer: Answer) -> None:
        self.refresh(command.about["email"])

    def _then_invited(self, command: Command, answer: Answer) -> None:
        self.ledger.organizations[command.about["org"]].invited[command.about["email"]] = answer.json()["id"]

    def _then_removed(self, command: Command, _answer: Answer) -> None:
        members = self.ledger.organizations[command.about["org"]].members
        if command.about["email"] in members:
            members.remove(command.about["email"])

    # --- work

    def _then_project(self, command: Command, answer: Answer) -> None:
        body = answer.json()
        self.ledger.organizations[command.about["org"]].projects[body["key"]] = body["id"]

    def _then_task(self, command: Command, answer: Answer) -> None:
        body = answer.json()
        organization = self.ledger.organizations[command.about["org"]]
        organization.tasks.append(Task(body["id"], body["title"], organization.id))

    def _then_form(self, command: Command, answer: Answer) -> None:
        self.ledger.forms.append((answer.json()["upload"], command.about["name"]))


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()

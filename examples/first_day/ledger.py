"""What must exist at the end, written down as the clients act. It never looks at what the system did."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

PROJECTIONS = ("identity", "tasks", "notify", "files", "audit", "analytics")
"""The services that keep members of their own."""


@dataclass
class Figures:
    created: int = 0
    assigned: int = 0
    open: int = 0
    done: int = 0


@dataclass
class Ledger:
    events: Counter[str] = field(default_factory=Counter)
    notifications: Counter[str] = field(default_factory=Counter)
    """In-app notifications by the type of the event that makes them."""
    emails: Counter[str] = field(default_factory=Counter)
    """E-mails (by distinct id) by the type of the event that makes them."""
    told: Counter[str] = field(default_factory=Counter)
    """In-app notifications by the user who gets them."""
    written_to: Counter[str] = field(default_factory=Counter)
    """E-mails by the user who gets them."""
    projects: dict[str, Figures] = field(default_factory=lambda: defaultdict(Figures))
    people: dict[str, Figures] = field(default_factory=lambda: defaultdict(Figures))
    members: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)
    """(org id, user id) -> (role, still in)."""
    files: dict[str, str] = field(default_factory=dict)
    """File id -> status at the end."""
    refused_files: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    orgs: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)

    def event(self, event_type: str, times: int = 1) -> None:
        self.events[event_type] += times

    # --- identity and tenancy

    def registered(self, user_id: str, email: str) -> None:
        self.users.add(user_id)
        self.addresses.add(email.lower())
        self.event("identity.user.registered.v1")

    def org_created(self, org_id: str, owner_id: str) -> None:
        self.orgs.add(org_id)
        self.event("tenancy.organization.created.v1")
        self.joined(org_id, owner_id, "owner")

    def joined(self, org_id: str, user_id: str, role: str) -> None:
        self.event("tenancy.member.added.v1")
        self.members[org_id, user_id] = (role, True)

    def removed(self, org_id: str, user_id: str) -> None:
        self.event("tenancy.member.removed.v1")
        self.members[org_id, user_id] = (self.members[org_id, user_id][0], False)

    def invited(self) -> None:
        self.event("tenancy.invitation.created.v1")
        self.emails["tenancy.invitation.created.v1"] += 1

    # --- tasks

    def task_created(self, project_id: str) -> None:
        self.event("tasks.task.created.v1")
        self.projects[project_id].created += 1
        self.projects[project_id].open += 1

    def task_assigned(self, assignee_id: str, by: str, *, imported: bool = False) -> None:
        kind = "tasks.task.assigned.v1"
        self.event(kind)
        self.people[assignee_id].assigned += 1
        self.people[assignee_id].open += 1
        if assignee_id != by:
            self._tell(kind, assignee_id)
            if not imported:
                self._write_to(kind, assignee_id)

    def task_moved(self, project_id: str, assignee_ids: list[str], previous: str, status: str) -> None:
        self.event("tasks.task.status_changed.v1")
        done = int(status == "done") - int(previous == "done")
        for figures in (self.projects[project_id], *(self.people[each] for each in assignee_ids)):
            figures.done += done
            figures.open -= done

    def commented(self, mentioned: set[str]) -> None:
        kind = "tasks.comment.added.v1"
        self.event(kind)
        for user_id in mentioned:
            self._tell(kind, user_id)
            self._write_to(kind, user_id)

    def imported(self, importer_id: str, assigned: Counter[str]) -> None:
        kind = "tasks.import.completed.v1"
        self.event("tasks.import.requested.v1")
        self.event(kind)
        self._tell(kind, importer_id)
        for user_id in {importer_id, *assigned}:
            self._write_to(kind, user_id)

    def _tell(self, kind: str, user_id: str) -> None:
        self.notifications[kind] += 1
        self.told[user_id] += 1

    def _write_to(self, kind: str, user_id: str) -> None:
        self.emails[kind] += 1
        self.written_to[user_id] += 1

    # --- files

    def uploaded(self, file_id: str, fate: str, *, picture: bool, text: bool) -> None:
        self.event("files.upload.requested.v1")
        self.files[file_id] = fate
        if fate == "rejected":
            self.event("files.file.rejected.v1")
            return
        self.event("files.file.uploaded.v1")
        self.event("files.file.processed.v1")
        self.event("files.thumbnail.created.v1", int(picture))
        self.event("files.text.extracted.v1", int(text))

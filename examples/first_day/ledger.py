"""The ledger of expected effects, which is kept as the clients act. It never looks at what the system did."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

PROJECTIONS = ("identity", "tasks", "notify", "files", "audit", "analytics")
"""The services with their own projection of members."""


@dataclass
class Figures:
    created: int = 0
    assigned: int = 0
    open: int = 0
    done: int = 0


@dataclass
class Ledger:
    """The events and effects that must exist at the end."""

    events: Counter[str] = field(default_factory=Counter)
    notifications: Counter[str] = field(default_factory=Counter)
    """In-app notifications by the type of the event that causes them."""
    emails: Counter[str] = field(default_factory=Counter)
    """E-mails (by distinct id) by the type of the event that causes them."""
    notifications_by_user: Counter[str] = field(default_factory=Counter)
    """In-app notifications by recipient."""
    emails_by_user: Counter[str] = field(default_factory=Counter)
    """E-mails by recipient."""
    projects: dict[str, Figures] = field(default_factory=lambda: defaultdict(Figures))
    people: dict[str, Figures] = field(default_factory=lambda: defaultdict(Figures))
    members: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)
    """(org id, user id) -> (role, is still a member)."""
    files: dict[str, str] = field(default_factory=dict)
    """File id -> status at the end."""
    refused_files: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    orgs: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)

    def event(self, event_type: str, times: int = 1) -> None:
        self.events[event_type] += times

    # --- identity and tenancy

    def record_registration(self, user_id: str, email: str) -> None:
        self.users.add(user_id)
        self.addresses.add(email.lower())
        self.event("identity.user.registered.v1")

    def record_organization(self, org_id: str, owner_id: str) -> None:
        self.orgs.add(org_id)
        self.event("tenancy.organization.created.v1")
        self.record_membership(org_id, owner_id, "owner")

    def record_membership(self, org_id: str, user_id: str, role: str) -> None:
        self.event("tenancy.member.added.v1")
        self.members[org_id, user_id] = (role, True)

    def record_removal(self, org_id: str, user_id: str) -> None:
        self.event("tenancy.member.removed.v1")
        self.members[org_id, user_id] = (self.members[org_id, user_id][0], False)

    def record_invitation(self) -> None:
        self.event("tenancy.invitation.created.v1")
        self.emails["tenancy.invitation.created.v1"] += 1

    # --- tasks

    def record_task(self, project_id: str) -> None:
        self.event("tasks.task.created.v1")
        self.projects[project_id].created += 1
        self.projects[project_id].open += 1

    def record_assignment(self, assignee_id: str, by: str, *, imported: bool = False) -> None:
        kind = "tasks.task.assigned.v1"
        self.event(kind)
        self.people[assignee_id].assigned += 1
        self.people[assignee_id].open += 1
        if assignee_id != by:
            self._notify(kind, assignee_id)
            if not imported:
                self._send_email(kind, assignee_id)

    def record_status_change(self, project_id: str, assignee_ids: list[str], previous: str, status: str) -> None:
        self.event("tasks.task.status_changed.v1")
        done = int(status == "done") - int(previous == "done")
        for figures in (self.projects[project_id], *(self.people[each] for each in assignee_ids)):
            figures.done += done
            figures.open -= done

    def record_comment(self, mentioned: set[str]) -> None:
        kind = "tasks.comment.added.v1"
        self.event(kind)
        for user_id in mentioned:
            self._notify(kind, user_id)
            self._send_email(kind, user_id)

    def record_import(self, importer_id: str, assigned: Counter[str]) -> None:
        kind = "tasks.import.completed.v1"
        self.event("tasks.import.requested.v1")
        self.event(kind)
        self._notify(kind, importer_id)
        for user_id in {importer_id, *assigned}:
            self._send_email(kind, user_id)

    def _notify(self, kind: str, user_id: str) -> None:
        self.notifications[kind] += 1
        self.notifications_by_user[user_id] += 1

    def _send_email(self, kind: str, user_id: str) -> None:
        self.emails[kind] += 1
        self.emails_by_user[user_id] += 1

    # --- files

    def record_upload(self, file_id: str, fate: str, *, picture: bool, text: bool) -> None:
        self.event("files.upload.requested.v1")
        self.files[file_id] = fate
        if fate == "rejected":
            self.event("files.file.rejected.v1")
            return
        self.event("files.file.uploaded.v1")
        self.event("files.file.processed.v1")
        self.event("files.thumbnail.created.v1", int(picture))
        self.event("files.text.extracted.v1", int(text))

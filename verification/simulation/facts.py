"""The events that really happened: their transactions were committed, whether or not the committer learned of it."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Data = dict[str, Any]

IDENTITIES: dict[str, Callable[[Data, str], str]] = {
    "identity.user.registered.v1": lambda data, _: data["email"],
    "identity.user.signed_in.v1": lambda data, _: data["user_id"],
    "identity.sign_in.failed.v1": lambda data, _: data["email"],
    "identity.active_org.switched.v1": lambda data, org: f"{data['user_id']}@{org}",
    "tenancy.organization.created.v1": lambda data, _: data["slug"],
    "tenancy.organization.plan_changed.v1": lambda data, org: f"{org}={data['plan']}",
    "tenancy.organization.changed.v1": lambda data, org: f"{org}={data['organization']['allowed_origins'][0]}",
    "tenancy.invitation.created.v1": lambda data, _: data["email"],
    "tenancy.invitation.accepted.v1": lambda data, _: data["email"],
    "tenancy.invitation.declined.v1": lambda data, _: data["email"],
    "tenancy.invitation.revoked.v1": lambda data, _: data["email"],
    "tenancy.member.removed.v1": lambda data, org: f"{data['user_id']}@{org}",
    "tenancy.member.role_changed.v1": lambda data, org: f"{data['user_id']}@{org}={data['role']}",
    "tenancy.member.permissions_changed.v1": lambda data, org: f"{data['user_id']}@{org}={data['grants'][0]}",
    "tasks.project.created.v1": lambda data, _: data["key"],
    "tasks.task.created.v1": lambda data, _: data["title"],
    "tasks.task.assigned.v1": lambda data, _: f"{data['title']}>{data['assignee_id']}",
    "tasks.task.unassigned.v1": lambda data, _: f"{data['title']}>{data['assignee_id']}",
    "tasks.task.status_changed.v1": lambda data, _: f"{data['title']}={data['status']}",
    "tasks.comment.added.v1": lambda data, _: data["text"],
    "tasks.import.requested.v1": lambda data, _: data["requested_by"],
    "files.upload.requested.v1": lambda data, _: data["name"],
}
"""Event type -> identity by which the effect of a command is recognized.

Events of other types follow from these and are checked against them.
"""


@dataclass(frozen=True)
class Fact:
    """One event, with the fields that the checks compare."""

    id: str
    type: str
    org: str
    subject: str
    version: int
    actor: str
    day: str
    data: Data

    @property
    def identity(self) -> str | None:
        identify = IDENTITIES.get(self.type)
        return identify(self.data, self.org) if identify else None


class Facts:
    """All facts in the order of their ids, parsed from events (id -> detail)."""

    def __init__(self, details: Mapping[str, str]) -> None:
        self.all = [_parse(detail) for _, detail in sorted(details.items())]
        self._by_type: dict[str, list[Fact]] = defaultdict(list)
        for fact in self.all:
            self._by_type[fact.type].append(fact)

    def of(self, *types: str) -> Iterable[Fact]:
        """The facts of these types, which are given without their version."""
        for type_ in types:
            yield from self._by_type[f"{type_}.v1"]


@lru_cache(maxsize=10_000)
def _parse(detail: str) -> Fact:
    raw = json.loads(detail)
    return Fact(
        raw["id"],
        raw["type"],
        raw["orgid"],
        raw["subject"],
        raw["aggregateversion"],
        raw["actor"],
        raw["time"][:10],
        raw["data"],
    )

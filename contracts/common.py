"""Types that all contracts share. An id names its kind and sorts by the time of its creation."""

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints


def _id(prefix: str) -> StringConstraints:
    return StringConstraints(pattern=rf"^{prefix}_[0-9a-z]{{1,64}}$")


OrgId = Annotated[str, _id("org")]
UserId = Annotated[str, _id("user")]
InvitationId = Annotated[str, _id("inv")]
ProjectId = Annotated[str, _id("proj")]
TaskId = Annotated[str, _id("task")]
CommentId = Annotated[str, _id("cmt")]
ImportId = Annotated[str, _id("imp")]
FileId = Annotated[str, _id("file")]
CredentialName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""A name chosen by the organization and unique within it."""
ApiKeyId = Annotated[str, _id("key")]

SYSTEM_ORG = "org_system"
"""The organization of events that belong to no other, such as the failed sign-in of an unknown address."""

SUPERADMIN = "superadmin"
"""The group of the platform's staff, who belong to no organization."""

PermissionName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}\.[a-z_]{1,40}\.[a-z_]{1,40}$")]
"""The name of a permission, such as `tasks.task.assign`: the service, the resource and the action."""

MAX_OVERRIDES = 20
"""The maximum of permissions that are granted to a membership, and of those denied to it: every token contains them."""

SYSTEM_ACTOR = "system"
"""The actor of events that no person caused."""


class Role(StrEnum):
    """A member's role in an organization, from the least to the most powerful."""

    VIEWER = "viewer"
    MEMBER = "member"
    MANAGER = "manager"
    ADMIN = "admin"
    OWNER = "owner"

    def covers(self, other: "Role") -> bool:
        """True if this role includes all permissions of `other`."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class Plan(StrEnum):
    FREE = "free"
    STARTER = "starter"
    PROFESSIONAL = "professional"
    ENTERPRISE = "enterprise"


class OrgStatus(StrEnum):
    """The status of an organization. A suspended or cancelled one can use only what it needs to become active again."""

    TRIAL = "trial"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"

    @property
    def operates(self) -> bool:
        """True if members can work in the organization."""
        return self in {OrgStatus.TRIAL, OrgStatus.ACTIVE}


class TaskStatus(StrEnum):
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    IN_REVIEW = "in_review"
    DONE = "done"


class Priority(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"

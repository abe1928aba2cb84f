"""The words that every contract shares. An id names its kind and sorts by its time of birth."""

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
"""Chosen by the organization, and unique in it."""
ApiKeyId = Annotated[str, _id("key")]

SYSTEM_ORG = "org_system"
"""Carries what belongs to no organization, such as the failed sign-in of an unknown address."""

SUPERADMIN = "superadmin"
"""The group of the platform's staff, who stand outside every organization."""

PermissionName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}\.[a-z_]{1,40}\.[a-z_]{1,40}$")]
"""What a permission is of, such as `tasks.task.assign`: the service, the thing, and what is done with it."""

MAX_OVERRIDES = 20
"""Operations that one membership is granted, and as many that it is denied: they travel in every token."""

SYSTEM_ACTOR = "system"
"""Who acted when no person did."""


class Role(StrEnum):
    """A member's place in an organization, from the least to the most."""

    VIEWER = "viewer"
    MEMBER = "member"
    MANAGER = "manager"
    ADMIN = "admin"
    OWNER = "owner"

    def covers(self, other: "Role") -> bool:
        """True if this role may do all that `other` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class Plan(StrEnum):
    FREE = "free"
    STARTER = "starter"
    PROFESSIONAL = "professional"
    ENTERPRISE = "enterprise"


class OrgStatus(StrEnum):
    """Whether an organization may work. In one that may not, people see only what they need to mend that."""

    TRIAL = "trial"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"

    @property
    def operates(self) -> bool:
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

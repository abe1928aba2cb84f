"""Memberships: their state, the rules of roles and permission overrides, and their events. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from chassis.errors import FieldError, Invalid
from chassis.tenants.members import Member
from chassis.work.context import Actor
from contracts.common import OrgId, Role
from contracts.permissions import OPERATIONS
from contracts.tenancy import v1 as tenancy
from services.tenancy.errors import RoleTooHigh
from services.tenancy.organizations.model import Organization


class Membership(Member):
    """A user's place in an organization. `version` keeps counting when a former member returns."""

    org_id: OrgId

    def with_role(self, role: Role) -> "Membership":
        """Owners have every permission, so overrides are cleared when somebody becomes an owner."""
        overrides = {"grants": (), "denies": ()} if role is Role.OWNER else {}
        return self.model_copy(update={"role": role, **overrides})

    def event_fields(self) -> dict[str, Any]:
        """The fields that all its events carry."""
        return {"user_id": self.id, **self.model_dump(include={"email", "name", "role", "grants", "denies"})}

    def added_event(self) -> tenancy.MemberAdded:
        return tenancy.MemberAdded(**self.event_fields())

    def role_changed_event(self, previous: "Membership") -> tenancy.MemberRoleChanged:
        return tenancy.MemberRoleChanged(previous_role=previous.role, **self.event_fields())

    def permissions_changed_event(self, previous: "Membership") -> tenancy.MemberPermissionsChanged:
        return tenancy.MemberPermissionsChanged(
            previous_grants=list(previous.grants), previous_denies=list(previous.denies), **self.event_fields()
        )

    def removed_event(self) -> tenancy.MemberRemoved:
        return tenancy.MemberRemoved(**self.event_fields())


@dataclass(frozen=True)
class UserOrganization:
    """One of a user's organizations, and their role in it."""

    organization: Organization
    role: Role


def normalize_address(email: str) -> str:
    """The form in which e-mail addresses are compared."""
    return email.strip().lower()


def check_can_give(giver: Role | None, role: Role, operation: str) -> None:
    """Nobody gives a role above their own. Raises RoleTooHigh."""
    if giver is None or not giver.covers(role):
        raise RoleTooHigh(operation, f"You cannot give the role {role}, which is above your own.")


def check_can_change(actor: Role | None, target: Role, operation: str) -> None:
    """Nobody changes or removes a member above themselves. Raises RoleTooHigh."""
    if actor is None or not actor.covers(target):
        raise RoleTooHigh(operation, f"You cannot change a member with the role {target}, which is above your own.")


def check_overrides(grants: Sequence[str], denies: Sequence[str]) -> None:
    """Raises Invalid for an unknown operation, and for one that is both granted and denied."""
    wrong = [*_unknown_operations("grants", grants), *_unknown_operations("denies", denies)]
    wrong += [FieldError("body.denies", f"{operation} is granted too.") for operation in denies if operation in grants]
    if wrong:
        raise Invalid(wrong[0].message, wrong)


def _unknown_operations(field: str, operations: Iterable[str]) -> Iterator[FieldError]:
    for operation in operations:
        if operation not in OPERATIONS:
            nearest = get_close_matches(operation, OPERATIONS, n=1, cutoff=0)[0]
            yield FieldError(f"body.{field}", f"There is no operation {operation!r}; the nearest is {nearest!r}.")


def check_overrides_of_role(role: Role, grants: Sequence[str], denies: Sequence[str]) -> None:
    """Raises Invalid for overrides that no member with that role can have."""
    if role is Role.OWNER and (grants or denies):
        raise Invalid("Owners have every permission and cannot be denied any. Change their role first.")
    for operation in grants:
        if OPERATIONS[operation] is Role.OWNER:
            detail = f"Only owners can have {operation}; it cannot be granted."
            raise Invalid(detail, [FieldError("body.grants", detail)])


def check_can_grant(actor: Actor, operations: Iterable[str], operation: str) -> None:
    """Nobody gives a permission that they do not have, neither by a grant nor by the end of a denial. `operation` is
    the one by which `actor` gives `operations`. Raises RoleTooHigh."""
    for given in sorted(operations):
        least = OPERATIONS.get(given)
        if least is None or not actor.may(given, least):
            raise RoleTooHigh(operation, f"You cannot grant {given}, because you do not have it yourself.")

"""Organizations: their state, the rules of seats, owners and web origins, and their events. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from chassis.tenants.organizations import OrganizationProfile
from contracts.common import Plan, UserId
from contracts.tenancy import v1 as tenancy
from services.tenancy.errors import LastOwner, TooManyOwners

SEATS: Final[Mapping[Plan, int]] = {
    Plan.FREE: 3,
    Plan.STARTER: 50,
    Plan.PROFESSIONAL: 500,
    Plan.ENTERPRISE: 10_000,
}
"""People that a plan allows: members and pending invitations together."""

MAX_OWNERS: Final = 20
MAX_ORIGINS: Final = 20

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*)(?::(?P<port>[1-9][0-9]{{0,4}}))?", re.ASCII
)
_DEFAULT_PORTS = {"https": "443", "http": "80"}
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1"})


class Organization(OrganizationProfile):
    """A tenant. `owners` are the members with the role owner. There is always one: every change of an owner's role or
    membership changes this row in the same transaction, so two owners cannot leave at once."""

    personal: bool = False
    status_reason: str | None = None
    """The reason that the staff gave for the present status."""
    owners: tuple[UserId, ...]
    created_at: datetime

    @property
    def owner_id(self) -> UserId:
        """The first of its owners."""
        return self.owners[0]

    @property
    def state(self) -> tenancy.OrganizationState:
        """The state that all its events carry."""
        return tenancy.OrganizationState(
            slug=self.slug,
            name=self.name,
            plan=self.plan,
            status=self.status,
            allowed_origins=list(self.allowed_origins),
        )

    def with_owner(self, user_id: UserId) -> "Organization":
        """Raises TooManyOwners."""
        if len(self.owners) >= MAX_OWNERS:
            raise TooManyOwners(f"An organization has at most {MAX_OWNERS} owners.")
        return self.model_copy(update={"owners": (*self.owners, user_id)})

    def without_owner(self, user_id: UserId) -> "Organization":
        """Raises LastOwner if nobody would be left."""
        others = tuple(owner for owner in self.owners if owner != user_id)
        if not others:
            raise LastOwner("An organization needs an owner: make somebody else one first.")
        return self.model_copy(update={"owners": others})

    def created_event(self) -> tenancy.OrganizationCreated:
        return tenancy.OrganizationCreated(
            org_id=self.id,
            slug=self.slug,
            name=self.name,
            plan=self.plan,
            owner_id=self.owner_id,
            personal=self.personal,
            organization=self.state,
        )

    def changed_event(self, previous: "Organization") -> tenancy.OrganizationChanged:
        return tenancy.OrganizationChanged(
            org_id=self.id, organization=self.state, previous_organization=previous.state
        )

    def status_changed_event(self, previous: "Organization", reason: str) -> tenancy.OrganizationStatusChanged:
        return tenancy.OrganizationStatusChanged(
            org_id=self.id,
            previous_status=previous.status,
            status=self.status,
            reason=reason,
            organization=self.state,
        )

    def plan_changed_event(self, previous: "Organization") -> tenancy.PlanChanged:
        return tenancy.PlanChanged(org_id=self.id, previous_plan=previous.plan, plan=self.plan, organization=self.state)


def canonical_origin(text: str) -> str:
    """The web origin (RFC 6454) in `text` as browsers send it: scheme, host and port, and nothing more. Raises
    ValueError, which says what to write instead."""
    match = _ORIGIN.fullmatch(text.lower())
    if match is None or int(match["port"] or 0) > 65_535:
        raise ValueError("is not a web origin; write it as https://app.example.com or https://app.example.com:8443")
    scheme, host, port = match["scheme"], match["host"], match["port"]
    if scheme == "http" and host not in _LOCAL_HOSTS:
        raise ValueError("must use https; http is allowed for localhost only")
    return f"{scheme}://{host}" if port in {None, _DEFAULT_PORTS[scheme]} else f"{scheme}://{host}:{port}"


Origin = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(canonical_origin)]
Origins = Annotated[
    list[Origin], Field(max_length=MAX_ORIGINS), AfterValidator(lambda origins: list(dict.fromkeys(origins)))
]
"""Web origins, each once."""

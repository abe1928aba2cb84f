"""Request bodies and views of organizations."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from chassis.http.patches import MergePatch
from chassis.http.schemas import RequestBody, Trimmed, View
from contracts.common import OrgId, OrgStatus, Plan, UserId
from services.tenancy.organizations.model import Organization, Origins


class SettingsChange(MergePatch):
    """A patch of the settings; null resets one to the value that a new organization has."""

    allowed_origins: Origins | None = None


class OrganizationChange(MergePatch):
    name: str = Field(default="", min_length=1, max_length=100)
    settings: SettingsChange = Field(default_factory=SettingsChange)

    def fields(self) -> dict[str, Any]:
        """The fields of `Organization` that the patch names, with their new values."""
        changes = self.changes()
        settings = changes.pop("settings", {})
        return changes | {name: tuple(value or ()) for name, value in settings.items()}


class NewStatus(RequestBody):
    status: Literal[OrgStatus.ACTIVE, OrgStatus.SUSPENDED, OrgStatus.CANCELLED]
    reason: Annotated[str, Trimmed, Field(min_length=1, max_length=500)]


class SettingsView(View):
    allowed_origins: list[str]

    @classmethod
    def of(cls, organization: Organization) -> Self:
        return cls(allowed_origins=list(organization.allowed_origins))


class OrganizationView(View):
    id: OrgId
    slug: str
    name: str
    plan: Plan
    status: OrgStatus
    status_reason: str | None = None
    settings: SettingsView
    personal: bool
    owner_id: UserId
    version: int
    created_at: datetime

    @classmethod
    def of(cls, organization: Organization) -> Self:
        return cls(
            id=organization.id,
            slug=organization.slug,
            name=organization.name,
            plan=organization.plan,
            status=organization.status,
            status_reason=organization.status_reason,
            settings=SettingsView.of(organization),
            personal=organization.personal,
            owner_id=organization.owner_id,
            version=organization.version,
            created_at=organization.created_at,
        )

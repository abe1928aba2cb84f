"""Use cases of organizations: reading one, and changing its name, its settings and its status."""

from collections.abc import Mapping
from typing import Any

from chassis.resilience.retry import retry_on_stale
from chassis.work.scope import OrgScope
from contracts.common import OrgStatus
from services.tenancy.organizations.model import Organization
from services.tenancy.organizations.repository import OrganizationRepository


async def read(scope: OrgScope) -> Organization:
    return await OrganizationRepository(scope).get(scope.org_id)


async def change(scope: OrgScope, fields: Mapping[str, Any]) -> Organization:
    """Give those fields of the organization that `fields` names new values. Nothing happens if it has them already."""
    organizations = OrganizationRepository(scope)

    async def change_once() -> Organization:
        organization = await organizations.get(scope.org_id)
        scope.require_match(organization)
        changed = organization.model_copy(update=dict(fields))
        if changed == organization:
            return organization
        unit = scope.unit_of_work()
        saved = organizations.save(unit, changed)
        unit.publish(saved.changed_event(organization), version=saved.version)
        return await unit.answer(saved)

    return await retry_on_stale(change_once)


async def change_status(scope: OrgScope, status: OrgStatus, reason: str) -> Organization:
    """Suspend the organization, cancel it, or let it work again: by the platform's staff. Nothing happens if it has
    that status already. Raises NotFound."""
    organizations = OrganizationRepository(scope)

    async def change_once() -> Organization:
        organization = await organizations.get(scope.org_id)
        scope.require_match(organization)
        if organization.status is status:
            return organization
        unit = scope.unit_of_work()
        saved = organizations.save(unit, organization.model_copy(update={"status": status, "status_reason": reason}))
        unit.publish(saved.status_changed_event(organization, reason), version=saved.version)
        return await unit.answer(saved)

    return await retry_on_stale(change_once)

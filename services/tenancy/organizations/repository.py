"""Access patterns of organizations: their rows, the items that reserve their slugs, and the counters of their seats."""

from chassis.errors import LimitReached, Stale
from chassis.storage.keys import unique_key
from chassis.storage.table import Absent
from chassis.tenants.organizations import OrganizationProfileRepository
from chassis.work.repository import Repository
from chassis.work.scope import OrgScope
from chassis.work.unit_of_work import UnitOfWork
from contracts.common import Plan
from services.tenancy.errors import SlugTaken
from services.tenancy.organizations.model import SEATS, Organization


class OrganizationRepository(Repository[Organization]):
    """The scope's organization, under the key that `OrganizationProfileRepository` reads in every service."""

    kind = OrganizationProfileRepository.kind
    model = Organization

    def reserve_slug(self, unit: UnitOfWork, organization: Organization) -> None:
        """Keep the slug for the organization. Raises SlugTaken at commit if another one has it."""
        taken = SlugTaken(f"The slug {organization.slug} is taken.")
        unit.put(unique_key("slug", organization.slug), {"org_id": organization.id}, expect=Absent(), on_conflict=taken)

    def require_plan(self, unit: UnitOfWork, organization: Organization) -> None:
        """Raises Stale at commit if it has another plan by then, and with it other limits."""
        unit.require(
            self.key(organization.id),
            {"plan": organization.plan.value},
            on_conflict=Stale("The plan was changed meanwhile; repeat."),
        )

    def require_status(self, unit: UnitOfWork, organization: Organization) -> None:
        """Raises Stale at commit if it has another status by then."""
        unit.require(
            self.key(organization.id),
            {"status": organization.status.value},
            on_conflict=Stale("The organization was changed meanwhile; repeat."),
        )


class SeatCounter:
    """The number of seats in use in the scope's organization. It changes in the transaction that needs or gives up a
    seat."""

    def __init__(self, scope: OrgScope) -> None:
        self._key = scope.key("USAGE")

    def reserve(self, unit: UnitOfWork, plan: Plan) -> None:
        """Take a seat. Raises LimitReached at commit if the plan has none left."""
        full = LimitReached(f"All {SEATS[plan]} seats of the plan {plan} are taken.")
        unit.add(self._key, {"seats": 1}, at_most={"seats": SEATS[plan]}, on_conflict=full)

    def release(self, unit: UnitOfWork) -> None:
        unit.add(self._key, {"seats": -1})

    def require_fit(self, unit: UnitOfWork, plan: Plan) -> None:
        """Raises LimitReached at commit if more seats are in use than `plan` has."""
        more = f"More seats are taken than the {SEATS[plan]} of the plan {plan}; remove members or invitations first."
        unit.add(self._key, {"seats": 0}, at_most={"seats": SEATS[plan]}, on_conflict=LimitReached(more))

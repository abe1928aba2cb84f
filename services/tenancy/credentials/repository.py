"""Access patterns of credentials, and the counter of how many there are."""

from chassis.errors import LimitReached
from chassis.storage.keys import Key, ListEntry
from chassis.work.repository import Listing, Repository
from chassis.work.unit_of_work import UnitOfWork
from services.tenancy.credentials.model import MAX_CREDENTIALS, Credential

CREDENTIALS = Listing(index=1, name="CREDENTIALS")


class CredentialRepository(Repository[Credential]):
    """The credentials of the scope's organization."""

    kind = "CREDENTIAL"
    model = Credential

    def lists(self, aggregate: Credential) -> list[ListEntry]:
        return [CREDENTIALS.entry(self.scope, aggregate.id, "")]

    def reserve_slot(self, unit: UnitOfWork) -> None:
        """Count one more credential. Raises LimitReached at commit if the organization has MAX_CREDENTIALS."""
        full = LimitReached(f"An organization has at most {MAX_CREDENTIALS} credentials.")
        unit.add(self._counter_key(), {"credentials": 1}, at_most={"credentials": MAX_CREDENTIALS}, on_conflict=full)

    def release_slot(self, unit: UnitOfWork) -> None:
        unit.add(self._counter_key(), {"credentials": -1})

    def _counter_key(self) -> Key:
        return self.scope.key("USAGE", "CREDENTIALS")

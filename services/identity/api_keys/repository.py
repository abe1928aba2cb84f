"""The API keys of an organization, and when each was last used."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chassis.errors import LimitReached
from chassis.storage.keys import Key, ListEntry
from chassis.storage.table import Range
from chassis.tenants.api_keys import ApiKeyRepository
from chassis.work.repository import MAX_PAGE, Listing, Repository
from chassis.work.unit_of_work import UnitOfWork
from services.identity.api_keys.model import LastUse, OwnedKey

MAX_KEYS = 50
"""API keys that an organization may have at a time."""
REVOKED_KEPT = timedelta(days=400)
USE_KEPT = timedelta(days=400)
KEYS = Listing(index=1, name="API_KEYS")


class OwnedKeyRepository(Repository[OwnedKey]):
    """The API keys of the scope's organization, under the same keys where the guards of this service look for them."""

    kind = ApiKeyRepository.kind
    model = OwnedKey

    def lists(self, aggregate: OwnedKey) -> Sequence[ListEntry]:
        return [KEYS.entry(self.scope, aggregate.id, aggregate.id)]

    def expires_at(self, aggregate: OwnedKey) -> int | None:
        return None if aggregate.active else int((self.scope.now() + REVOKED_KEPT).timestamp())

    def count(self, unit: UnitOfWork, change: int) -> None:
        """Add `change` to the number of the organization's keys, in `unit`, whose commit raises LimitReached above
        MAX_KEYS."""
        error = LimitReached(f"An organization has at most {MAX_KEYS} API keys; revoke one that is not needed.")
        unit.add(self.scope.key("API_KEYS"), {"count": change}, at_most={"count": MAX_KEYS}, on_conflict=error)


class LastUseRepository(Repository[LastUse]):
    """The last uses of the API keys of the scope's organization, in one partition, so that one query serves a page of
    the list. They are stored beside the keys, not in them: a use must not conflict with an administrator's change."""

    kind = "API_KEY_USES"
    model = LastUse

    def key(self, id: str) -> Key:  # noqa: A002
        return self.scope.key(self.kind, sk=f"{id}#LAST")  # after `#`, as in the list: `key_1` sorts before `key_10`

    def expires_at(self, aggregate: LastUse) -> int | None:
        return int((aggregate.moment + USE_KEPT).timestamp())

    async def between(self, first: str, last: str) -> dict[str, datetime]:
        """The moments by key, from the first key of a page to its last."""
        rows = await self.scope.table.query(self.key(first).pk, Range(after=first, before=f"{last}#~", limit=MAX_PAGE))
        return {use.id: use.moment for use in map(LastUse.model_validate, rows)}

"""API keys of an organization, with the events that they make, and when each was last used."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

from pydantic import StringConstraints

from chassis.tenants.api_keys import ApiKey, KeySecret
from chassis.work.repository import Aggregate
from contracts.common import ApiKeyId
from contracts.identity.v1 import ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated, ApiKeySecret

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)

KeyName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class OwnedKey(ApiKey):
    """An API key, with what only its owner's list shows."""

    created_at: datetime
    good_until: datetime | None = None
    """The end of its newest secret, if one was set."""

    def replace_secret(self, secret: KeySecret, previous_until: datetime | None) -> Self:
        """The key with a new secret. The previous one stays valid until `previous_until`, or until its own end if that
        is sooner; None ends it at once."""
        ending: tuple[KeySecret, ...] = ()
        if previous_until is not None:
            ending = tuple(
                each.model_copy(update={"valid_until": min(each.valid_until or previous_until, previous_until)})
                for each in self.secrets[:1]
            )
        return self.model_copy(update={"secrets": (secret, *ending), "good_until": secret.valid_until})

    def revoke(self) -> Self:
        """The key without secrets, for good."""
        return self.model_copy(update={"active": False, "secrets": ()})

    def created_event(self) -> ApiKeyCreated:
        return ApiKeyCreated(key_id=self.id, name=self.name, scopes=list(self.scopes), secrets=self._event_secrets())

    def rotated_event(self) -> ApiKeyRotated:
        return ApiKeyRotated(key_id=self.id, name=self.name, scopes=list(self.scopes), secrets=self._event_secrets())

    def revoked_event(self) -> ApiKeyRevoked:
        return ApiKeyRevoked(key_id=self.id, name=self.name)

    def _event_secrets(self) -> list[ApiKeySecret]:
        return [ApiKeySecret(**dict(each)) for each in self.secrets]


class LastUse(Aggregate):
    """When the key with this `id` was last used: `version` is that moment, in microseconds since 1970."""

    @classmethod
    def at(cls, key_id: ApiKeyId, moment: datetime) -> Self:
        return cls(id=key_id, version=(moment - EPOCH) // MICROSECOND)

    @property
    def moment(self) -> datetime:
        return EPOCH + self.version * MICROSECOND


@dataclass(frozen=True, repr=False)
class NewKey:
    """A key with a new secret, and its text, which nobody can get a second time."""

    key: OwnedKey
    org_id: str
    text: str


@dataclass(frozen=True)
class KeyInUse:
    """A key as its administrators see it."""

    key: OwnedKey
    org_id: str
    last_used_at: datetime | None
    """None if it was not used within `repository.USE_KEPT`."""

    @property
    def version(self) -> int:
        return self.key.version

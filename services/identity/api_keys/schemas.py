"""Request bodies and views of API keys."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field

from chassis.auth.api_key_format import prefix
from chassis.http.rendering import ShownOnce
from chassis.http.schemas import RequestBody, View
from chassis.http.times import Moment
from contracts.common import ApiKeyId, PermissionName, UserId
from services.identity.api_keys.model import KeyInUse, KeyName, NewKey

MAX_OVERLAP = 7 * 24 * 3600
"""Seconds."""


class NewApiKey(RequestBody):
    name: KeyName
    scopes: Annotated[list[PermissionName], Field(min_length=1, max_length=100)]
    """The operations that the key may perform, such as `tasks.task.create`; only such as you may perform yourself."""
    expires_at: Moment | None = None


class Rotation(RequestBody):
    overlap_seconds: int = Field(default=0, ge=0, le=MAX_OVERLAP)
    """How long the previous secret stays valid beside the new one."""
    expires_at: Moment | None = None


class ApiKeyView(View):
    id: ApiKeyId
    name: str
    prefix: str
    """The beginning of each of its secrets."""
    scopes: list[PermissionName]
    holder_id: UserId | None
    """The user to whom its newest secret was shown. The secret works while they are a member."""
    created_at: datetime
    expires_at: datetime | None
    active: bool


class ApiKeyListed(ApiKeyView):
    last_used_at: datetime | None
    """When a program last used it, in any service and whatever the answer was; at most some ten minutes late. Null if
    never, or not for 400 days."""

    @classmethod
    def of(cls, key: KeyInUse) -> Self:
        return cls(**_fields_of(key), last_used_at=key.last_used_at)


class ApiKeyWithSecret(ApiKeyView, ShownOnce):
    key: str
    """The key itself: send it as `X-Api-Key`. It is shown this once."""

    @classmethod
    def of(cls, new: NewKey) -> Self:
        return cls(**_fields_of(new), key=new.text)


def _fields_of(owned: KeyInUse | NewKey) -> dict[str, Any]:
    """The fields of ApiKeyView."""
    key = owned.key
    return {
        "id": key.id,
        "name": key.name,
        "prefix": prefix(owned.org_id, key.id),
        "scopes": list(key.scopes),
        "holder_id": key.secrets[0].holder_id if key.secrets else None,
        "created_at": key.created_at,
        "expires_at": key.good_until,
        "active": key.active,
    }

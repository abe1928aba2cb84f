"""Request bodies and views of credentials."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from chassis.http.schemas import RequestBody, Trimmed, View
from chassis.tenants.vault import MAX_SECRET_BYTES
from contracts.common import CredentialName, UserId
from services.tenancy.credentials.model import Credential


class ChangedCredential(RequestBody):
    platform: Annotated[str, Trimmed, Field(min_length=1, max_length=100)]
    secret: Annotated[str, Trimmed, Field(min_length=1, max_length=MAX_SECRET_BYTES // 4)]


class NewCredential(ChangedCredential):
    name: Annotated[CredentialName, Trimmed]


class CredentialView(View):
    """A credential without its secret, which is never returned."""

    name: CredentialName
    platform: str
    stored_by: UserId
    stored_at: datetime
    version: int

    @classmethod
    def of(cls, credential: Credential) -> Self:
        return cls(
            name=credential.id,
            platform=credential.platform,
            stored_by=credential.stored_by,
            stored_at=credential.stored_at,
            version=credential.version,
        )


class RotationResult(View):
    credentials: int

    @classmethod
    def of(cls, credentials: int) -> Self:
        return cls(credentials=credentials)

"""Credentials: their state and their events. Pure."""

from datetime import datetime
from typing import Final

from chassis.work.repository import Aggregate
from contracts.common import CredentialName, UserId
from contracts.tenancy import v1 as tenancy

MAX_CREDENTIALS: Final = 100


class Credential(Aggregate):
    """A credential that lets us act for an organization on another platform; `id` is the name that it chose. Of the
    secret only the vault's sealed text is stored."""

    id: CredentialName
    platform: str
    sealed: str
    stored_by: UserId
    stored_at: datetime

    def stored_event(self) -> tenancy.CredentialStored:
        return tenancy.CredentialStored(name=self.id, platform=self.platform)

    def rotated_event(self) -> tenancy.CredentialRotated:
        return tenancy.CredentialRotated(name=self.id, platform=self.platform)

    def removed_event(self) -> tenancy.CredentialRemoved:
        return tenancy.CredentialRemoved(name=self.id, platform=self.platform)

"""The view of a verification."""

from typing import Self

from chassis.http.schemas import View
from services.audit.chain.model import Verification


class VerificationView(View):
    """Whether an organization's records are the ones that were sealed.

    `unsealed` records are recent: the chain says nothing about them yet. `broken_at` is the lowest number in the chain
    where something is wrong; it is absent when that something never had a number.
    """

    org_id: str
    sealed: int
    unsealed: int
    valid: bool
    head: str | None = None
    broken_at: int | None = None
    reason: str | None = None

    @classmethod
    def of(cls, verification: Verification) -> Self:
        return cls.model_validate(verification, from_attributes=True)

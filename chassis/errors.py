"""Errors by what they mean for the caller. HTTP and consumers read the same types.

HTTP answers `status` with an RFC 9457 problem of type `kind`. A consumer dead-letters `Rejected` at once, backs off
and tries again on `Retryable`; anything else is a bug: retried, and dead-lettered by SQS when its receives are used up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class TenfoldError(Exception):
    """Base of every expected error. `detail` is one line for the person who can fix it."""

    status = 500
    kind = "internal"

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after


class DeclarationError(Exception):
    """A service is declared in a way that cannot be right. Raised while it is loaded, never while it runs; the message
    names the declaration and says what to write instead. Breaches of contracts are `contracts.event.ContractError`."""


class Rejected(TenfoldError):
    """Can never succeed as it stands."""

    status = 422
    kind = "rejected"


class Retryable(TenfoldError):
    """May succeed later, unchanged."""

    status = 503
    kind = "try-again"

    def __init__(self, detail: str, *, retry_after: float | None = 1.0) -> None:
        super().__init__(detail, retry_after=retry_after)


@dataclass(frozen=True)
class FieldError:
    """One field of a request or an event that is not as it should be."""

    field: str
    message: str


class Invalid(Rejected):
    """The input is wrong; `fields` says where."""

    kind = "invalid"

    def __init__(self, detail: str, fields: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.fields = tuple(fields)


class Unauthenticated(Rejected):
    status = 401
    kind = "unauthenticated"


class MembershipEnded(Unauthenticated):
    """The token is older than the end of its bearer's membership, or names no organization."""

    kind = "no-membership"


class Forbidden(Rejected):
    """The caller belongs to the organization, but lacks the permission. `reason` is the audit trail's word for why."""

    status = 403
    kind = "forbidden"
    reason = "role"

    def __init__(self, operation: str, detail: str | None = None) -> None:
        super().__init__(detail or f"Your role does not allow {operation}.")
        self.operation = operation


class OperationDenied(Forbidden):
    """The caller's role allows it, but an override denies it."""

    reason = "denied"

    def __init__(self, operation: str) -> None:
        super().__init__(operation, f"{operation} was denied to you in this organization; ask one of its admins.")


class OutOfScope(Forbidden):
    """The scopes of the program's API key do not name the operation."""

    reason = "scope"

    def __init__(self, operation: str) -> None:
        super().__init__(operation, f"This API key's scopes do not include {operation}.")


class OrganizationSuspended(Forbidden):
    """The organization's status allows no work now."""

    kind = "organization-suspended"
    reason = "organization-suspended"

    def __init__(self, operation: str, status: str) -> None:
        super().__init__(operation, f"The organization is {status}; its owner can read why, and whom to ask.")


class StaffOnly(Forbidden):
    """An operation for the platform's staff only, whatever the caller's role in an organization."""

    reason = "staff-only"

    def __init__(self, operation: str) -> None:
        super().__init__(operation, f"{operation} is for the platform's staff only.")


class OriginRefused(Rejected):
    """A request from a web page whose origin the organization does not allow."""

    status = 403
    kind = "origin-not-allowed"

    def __init__(self) -> None:
        super().__init__("The organization's settings do not allow this web origin (allowed_origins).")


class NotFound(Rejected):
    """It does not exist, or belongs to another organization: the answer is the same."""

    status = 404
    kind = "not-found"

    def __init__(self, what: str = "resource") -> None:
        super().__init__(f"No such {what}.")


class Conflict(Rejected):
    """Conflicts with the present state."""

    status = 409
    kind = "conflict"


class AlreadyExists(Conflict):
    kind = "already-exists"


class LimitReached(Conflict):
    """The organization's plan allows no more of it."""

    kind = "limit-reached"


class PreconditionFailed(Rejected):
    """The entity tag in the request's `If-Match` no longer matches."""

    status = 412
    kind = "precondition-failed"


class TooLarge(Rejected):
    status = 413
    kind = "too-large"


class UnsupportedType(Rejected):
    status = 415
    kind = "unsupported-type"


class Stale(Retryable):
    """Somebody else changed it first. Read it again."""

    status = 409
    kind = "changed-meanwhile"


class NotYet(Retryable):
    """An event that this depends on has not arrived yet."""

    status = 409
    kind = "not-yet"


class Unavailable(Retryable):
    """A dependency does not answer. Whether the change was made is unknown; repeat the request with the same
    Idempotency-Key."""

    kind = "unavailable"


class AlreadyHandled(TenfoldError):
    """The inbox has this consumer's claim on this event already: its effect exists. Consumers treat it as success."""

    status = 409
    kind = "already-handled"


class AlreadyAnswered(TenfoldError):
    """An earlier try of the same request was carried out, so the answer recorded in `item` is this one's, too."""

    status = 409
    kind = "already-answered"

    def __init__(self, item: Mapping[str, Any]) -> None:
        super().__init__("An earlier try of this request was carried out.")
        self.item = item

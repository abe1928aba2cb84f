"""Signature Version 4 by botocore's signer, and the clock that the client corrects."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any, cast

from botocore.auth import SigV4Auth

from awsjson.config import FrozenCredentials
from awsjson.environment import Target

SKEW_CODES = frozenset(
    {
        "RequestTimeTooSkewed",
        "RequestExpired",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "RequestInTheFuture",
    }
)
# SigV4 accepts a difference of five minutes; a smaller one does not explain a refused signature
TOLERATED_SKEW = timedelta(minutes=4)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """The local clock, corrected by the difference that services report."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._offset = timedelta()

    def now(self) -> datetime:
        return self._now() + self._offset

    def learn(self, date_header: str | None) -> bool:
        """Adopts the time of a service's answer. False if it is close to ours or missing."""
        try:
            theirs = parsedate_to_datetime(date_header) if date_header else None
        except ValueError:
            theirs = None
        if theirs is None or abs(theirs - self.now()) < TOLERATED_SKEW:
            return False
        self._offset = theirs - self._now()
        return True


@dataclass(slots=True)
class _StampedRequest:
    """The part of a request that botocore's signer reads after its canonical form is made."""

    context: dict[str, str] = field(default_factory=dict)


def sign(
    target: Target, headers: dict[str, str], body: bytes, credentials: FrozenCredentials, now: datetime
) -> dict[str, str]:
    """`headers` with those of the signature added; all of them are signed."""
    timestamp = now.strftime("%Y%m%dT%H%M%SZ")
    complete = {**headers, "X-Amz-Date": timestamp}
    if credentials.token:
        complete["X-Amz-Security-Token"] = credentials.token
    # Our requests have one form (a POST without a query), so their canonical text is written here: botocore derives it
    # through its request classes, at three quarters of the whole signature's cost. The rest is botocore's.
    signed = sorted([("host", target.host), *((name.lower(), value) for name, value in complete.items())])
    names = ";".join([name for name, _ in signed])
    lines = "\n".join([f"{name}:{value}" for name, value in signed])
    canonical = f"POST\n{target.path}\n\n{lines}\n\n{names}\n{sha256(body).hexdigest()}"
    # the stubs name two classes of credentials and one of requests; botocore reads these attributes
    signer: Any = SigV4Auth(cast("Any", credentials), target.signing_name, target.signing_region)
    request = _StampedRequest({"timestamp": timestamp})
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    complete["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, Signature={signature}"
    )
    return complete

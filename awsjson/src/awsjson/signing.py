"""Signature Version 4 by botocore's signer, with the clock that the client corrects."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, cast

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError

from awsjson.config import CredentialSource, FrozenCredentials
from awsjson.environment import Target
from awsjson.errors import ConfigurationError

SKEW_CODES = frozenset(
    {
        "RequestTimeTooSkewed",
        "RequestExpired",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "RequestInTheFuture",
    }
)
# SigV4 accepts five minutes; a smaller difference is not why a signature was refused
TOLERATED_SKEW = timedelta(minutes=4)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """The local clock plus what the services say it is wrong by."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._offset = timedelta()

    def now(self) -> datetime:
        return self._now() + self._offset

    def learn(self, date_header: str | None) -> bool:
        """Takes over the service's time; whether that changed anything."""
        try:
            theirs = parsedate_to_datetime(date_header) if date_header else None
        except ValueError:
            theirs = None
        if theirs is None or abs(theirs - self.now()) < TOLERATED_SKEW:
            return False
        self._offset = theirs - self._now()
        return True


class _Signer(SigV4Auth):
    def __init__(self, credentials: FrozenCredentials, target: Target, now: datetime) -> None:
        # the stubs name two classes; botocore reads three attributes
        super().__init__(cast("Any", credentials), target.signing_name, target.signing_region)
        self._timestamp = now.strftime("%Y%m%dT%H%M%SZ")

    def add_auth(self, request: AWSRequest) -> None:
        request.context["timestamp"] = self._timestamp
        self._modify_request_before_signing(request)  # type: ignore[attr-defined]  # missing in the stubs
        to_sign = self.string_to_sign(request, self.canonical_request(request))
        signature = self.signature(to_sign, request)
        self._inject_signature_to_request(request, signature)  # type: ignore[attr-defined]  # missing in the stubs


def sign(
    target: Target, headers: dict[str, str], body: bytes, credentials: FrozenCredentials, now: datetime
) -> dict[str, str]:
    """`headers` and those of the signature."""
    request = AWSRequest("POST", target.url, headers=headers, data=body)
    _Signer(credentials, target, now).add_auth(request)
    return dict(request.headers.items())


class Keys:
    """The credentials of a client; a refresh, which blocks, runs in a thread and once for all who wait."""

    def __init__(self, source: CredentialSource | None) -> None:
        self._source = source
        self._refresh: asyncio.Task[FrozenCredentials] | None = None

    async def current(self) -> FrozenCredentials:
        """Raises ConfigurationError where there are none or the refresh failed."""
        if self._source is None:
            raise ConfigurationError("no credentials: pass some, or set up botocore's chain")
        needs_refresh: Any = getattr(self._source, "refresh_needed", None)
        if needs_refresh is None or not needs_refresh():
            return self._source.get_frozen_credentials()
        if self._refresh is None or self._refresh.done():
            self._refresh = asyncio.create_task(asyncio.to_thread(self._source.get_frozen_credentials))
        try:
            return await asyncio.shield(self._refresh)
        except BotoCoreError as error:
            raise ConfigurationError(f"credentials could not be refreshed: {error}") from error

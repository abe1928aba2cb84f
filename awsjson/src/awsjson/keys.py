"""The keys of a client: refreshed early and in a thread, and replaced when a service reports them as expired."""

import asyncio
import logging
from collections.abc import Callable

from awsjson.config import CredentialSource, FrozenCredentials
from awsjson.errors import AwsError, ConfigurationError, CredentialsUnavailable

EXPIRED_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
# Keys that expire sooner than this are not used while newer ones are being fetched.
CRITICAL_SECONDS = 60.0
# Pause between early refreshes: botocore asks for new keys 15 minutes before they expire, and short-lived keys always
# expire sooner.
REFRESH_GAP = 30.0
REPLACEMENT_GAP = 5.0

logger = logging.getLogger("awsjson")


class Keys:
    """Provides keys that can sign now. What blocks runs in a thread, once for all callers that wait."""

    def __init__(
        self,
        source: CredentialSource | None,
        rediscover: Callable[[], CredentialSource | None] | None = None,
    ) -> None:
        self._source = source
        self._rediscover = rediscover
        self._held: FrozenCredentials | None = None
        self._refreshing: asyncio.Task[FrozenCredentials] | None = None
        self._replacing: asyncio.Task[bool] | None = None
        self._next_refresh = self._next_replacement = 0.0

    async def current(self) -> FrozenCredentials:
        """The keys to sign with. Raises ConfigurationError (no keys) or CredentialsUnavailable (renewal failed)."""
        source = self._source
        if source is None:
            raise ConfigurationError("no credentials: pass some, or set up botocore's chain")
        needs_refresh = getattr(source, "refresh_needed", None)
        if needs_refresh is None or not needs_refresh():
            self._held = source.get_frozen_credentials()
            return self._held
        if self._held is not None and not needs_refresh(CRITICAL_SECONDS):
            now = asyncio.get_running_loop().time()
            if now >= self._next_refresh:
                self._next_refresh = now + REFRESH_GAP
                self._refresh(source).add_done_callback(_log_failure)
            return self._held
        return await asyncio.shield(self._refresh(source))

    def _refresh(self, source: CredentialSource) -> asyncio.Task[FrozenCredentials]:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._fetch(source))
        return self._refreshing

    async def _fetch(self, source: CredentialSource) -> FrozenCredentials:
        try:
            self._held = await asyncio.to_thread(source.get_frozen_credentials)
        except Exception as error:
            # botocore raises errors of two families here, other sources raise their own
            raise CredentialsUnavailable(f"{type(error).__name__}: {error}") from error
        return self._held

    async def replace(self, refused: FrozenCredentials) -> bool:
        """Searches botocore's chain again for keys other than those that a service refused. False: there are none."""
        if not _are_same(await self.current(), refused):
            return True
        now = asyncio.get_running_loop().time()
        if self._replacing is None or self._replacing.done():
            if self._rediscover is None or now < self._next_replacement:
                return False
            self._next_replacement = now + REPLACEMENT_GAP
            self._replacing = asyncio.create_task(self._find_others(self._rediscover, refused))
        return await asyncio.shield(self._replacing)

    async def _find_others(self, rediscover: Callable[[], CredentialSource | None], refused: FrozenCredentials) -> bool:
        def search() -> tuple[CredentialSource, FrozenCredentials] | None:
            source = rediscover()
            return (source, source.get_frozen_credentials()) if source is not None else None

        try:
            others = await asyncio.to_thread(search)
        except Exception as error:  # noqa: BLE001  # the service's refusal is what the caller must see
            logger.warning("keys were refused as expired, and looking for others failed: %r", error)
            return False
        if others is None or _are_same(others[1], refused):
            return False
        self._source, self._held = others
        return True


def _are_same(left: FrozenCredentials, right: FrozenCredentials) -> bool:
    return (left.access_key, left.secret_key, left.token) == (right.access_key, right.secret_key, right.token)


def _log_failure(task: asyncio.Task[FrozenCredentials]) -> None:
    if not task.cancelled() and isinstance(error := task.exception(), AwsError):
        logger.warning("keys could not be refreshed early: %s", error)

"""The keys of a client: refreshed ahead of time and in a thread, and replaced when a service calls them expired."""

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
# Keys with less life than this are not used while newer ones are on their way.
CRITICAL_SECONDS = 60.0
# botocore wants new keys a quarter of an hour before the end, which for keys that live so short is always.
REFRESH_GAP = 30.0
REPLACEMENT_GAP = 5.0

logger = logging.getLogger("awsjson")


class Keys:
    """Hands out keys that can sign now; whatever blocks runs in a thread, once for all who wait."""

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
        """Raises ConfigurationError where there are none, CredentialsUnavailable where they cannot be had now."""
        source = self._source
        if source is None:
            raise ConfigurationError("no credentials: pass some, or set up botocore's chain")
        needs_refresh = getattr(source, "refresh_needed", None)
        if needs_refresh is None or not needs_refresh():
            self._held = source.get_frozen_credentials()
            return self._held
        if self._held is not None and not needs_refresh(CRITICAL_SECONDS):
            self._refresh_ahead(source)
            return self._held
        return await asyncio.shield(self._refresh(source))

    def _refresh_ahead(self, source: CredentialSource) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._next_refresh:
            self._next_refresh = now + REFRESH_GAP
            self._refresh(source).add_done_callback(_tell_failure)

    def _refresh(self, source: CredentialSource) -> asyncio.Task[FrozenCredentials]:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._fetch(source))
        return self._refreshing

    async def _fetch(self, source: CredentialSource) -> FrozenCredentials:
        try:
            self._held = await asyncio.to_thread(source.get_frozen_credentials)
        except Exception as error:
            # botocore raises errors of two families here, other sources raise theirs
            raise CredentialsUnavailable(f"{type(error).__name__}: {error}") from error
        return self._held

    async def replace(self, refused: FrozenCredentials) -> bool:
        """Whether there are other keys than those that a service refused; looks botocore's chain through again."""
        if not _same(await self.current(), refused):
            return True
        now = asyncio.get_running_loop().time()
        if self._replacing is None or self._replacing.done():
            if self._rediscover is None or now < self._next_replacement:
                return False
            self._next_replacement = now + REPLACEMENT_GAP
            self._replacing = asyncio.create_task(self._find_others(self._rediscover, refused))
        return await asyncio.shield(self._replacing)

    async def _find_others(self, rediscover: Callable[[], CredentialSource | None], refused: FrozenCredentials) -> bool:
        def look() -> tuple[CredentialSource, FrozenCredentials] | None:
            source = rediscover()
            return (source, source.get_frozen_credentials()) if source is not None else None

        try:
            found = await asyncio.to_thread(look)
        except Exception as error:  # noqa: BLE001  # the service's refusal is what the caller must see
            logger.warning("keys were refused as expired, and no others could be had: %r", error)
            return False
        if found is None or _same(found[1], refused):
            return False
        self._source, self._held = found
        return True


def _same(one: FrozenCredentials, other: FrozenCredentials) -> bool:
    return (one.access_key, one.secret_key, one.token) == (other.access_key, other.secret_key, other.token)


def _tell_failure(task: asyncio.Task[FrozenCredentials]) -> None:
    if not task.cancelled() and isinstance(error := task.exception(), AwsError):
        logger.warning("keys could not be refreshed ahead of time: %s", error)

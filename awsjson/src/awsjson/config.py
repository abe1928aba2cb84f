"""Configuration of a client: limits, credentials, and the hook through which tests inject faults."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class FrozenCredentials(Protocol):
    """Keys that do not change while a request is signed (botocore's ReadOnlyCredentials fits)."""

    @property
    def access_key(self) -> str | None: ...
    @property
    def secret_key(self) -> str | None: ...
    @property
    def token(self) -> str | None: ...


class CredentialSource(Protocol):
    """A source of keys (botocore's Credentials and RefreshableCredentials fit).

    A source whose keys expire also has `refresh_needed(refresh_in: float | None = None) -> bool`: whether they expire
    within `refresh_in` seconds (None: soon enough to fetch new ones). While it returns True, `get_frozen_credentials`
    is called in a thread and may block; the present keys stay in use until their last minute.
    """

    def get_frozen_credentials(self) -> FrozenCredentials: ...


@dataclass(frozen=True, slots=True)
class StaticCredentials:
    """Keys given by the program; `token` belongs to temporary keys."""

    access_key: str
    secret_key: str
    token: str | None = None

    def get_frozen_credentials(self) -> "StaticCredentials":
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Limits of one client. Times are in seconds.

    `max_connections` also bounds the long polls that can wait at once: a client that polls needs more than that.
    `read_timeout` bounds one attempt from sending to the last byte (a long poll gets its WaitTimeSeconds on top).
    `retry_capacity` is the budget that all calls of the client share: a retry costs 5 (10 after a timeout), a success
    gives 1 back (a successful retry gives back what it cost), and at 0 errors are raised without a retry.
    """

    max_connections: int = 64
    connect_timeout: float = 2.0
    read_timeout: float = 10.0
    max_attempts: int = 4
    backoff_base: float = 0.05
    backoff_cap: float = 5.0
    retry_capacity: int = 500
    keepalive: float = 15.0

    def __post_init__(self) -> None:
        if self.max_attempts < 1 or self.max_connections < 1:
            raise ValueError("max_attempts and max_connections must be at least 1")


class Client(Protocol):
    """The interface of both clients, AwsJson and BotoThreads; a program's own fakes can implement it, too."""

    async def call(
        self,
        service: str,
        operation: str,
        params: Mapping[str, Any],
        *,
        timeout: float | None = None,
        retry_unknown: bool = True,
    ) -> dict[str, Any]: ...


class Faults(Protocol):
    """A hook for injecting errors in tests: `before` runs before each attempt, `after` once it has been executed.

    An error that they raise is treated like a real one: an AwsError that is retryable is retried.
    Raise in `before` to refuse a call, in `after` for "executed, then answered with an error".
    """

    async def before(self, service: str, operation: str, params: Mapping[str, Any]) -> None: ...
    async def after(self, service: str, operation: str, params: Mapping[str, Any]) -> None: ...

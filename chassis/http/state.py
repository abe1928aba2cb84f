"""The state of one process's HTTP API: all that requests share besides the service's context."""

from dataclasses import dataclass, field
from typing import Protocol

from starlette.datastructures import State

from chassis.auth.tokens import TokenVerifier
from chassis.tenants.access_denied_events import AccessDeniedEvents
from chassis.tenants.api_key_usage import ApiKeyUsage
from chassis.tenants.rate_limit import RateLimiter
from chassis.work.context import ServiceContext


@dataclass(frozen=True)
class ApiState:
    """`public_origins` are the web origins whose pages may use the routes that need no token."""

    context: ServiceContext
    verifier: TokenVerifier
    public_origins: frozenset[str] = frozenset()
    rate_limiter: RateLimiter = field(default_factory=RateLimiter)
    access_denied: AccessDeniedEvents = field(default_factory=AccessDeniedEvents)
    api_key_usage: ApiKeyUsage = field(default_factory=ApiKeyUsage)


class _App(Protocol):
    state: State


class _Request(Protocol):
    @property
    def app(self) -> _App: ...


def api_state_of(request: _Request) -> ApiState:
    """The state of the app that serves `request`."""
    state: ApiState = request.app.state.api
    return state

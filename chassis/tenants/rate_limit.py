"""Rate limits: how many requests per minute an organization, each of its API keys, and a person may send to a service.

The generic cell rate algorithm (GCRA) in one conditional update: a counter holds the moment, in microseconds, up to
which the requests so far have used up their time. Each request uses `WINDOW / limit` of it, and may not get further
than WINDOW ahead of now. So a full window's requests may come at once, and after that as many as the rate allows.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from chassis.errors import Retryable
from chassis.storage.keys import Key, shard_of
from chassis.storage.rate_limit_store import CounterLevels, RateLimitStore, effective_level
from chassis.work.scope import OrgScope, Scope, UserScope
from contracts.common import Plan

WINDOW = timedelta(seconds=60)


@dataclass(frozen=True)
class Rate:
    """A plan's requests per WINDOW to one service: for the whole organization, and for each of its API keys, so that a
    program cannot use up what the people need."""

    organization: int
    api_key: int


RATES: Mapping[Plan, Rate] = {
    Plan.FREE: Rate(organization=100, api_key=50),
    Plan.STARTER: Rate(organization=600, api_key=300),
    Plan.PROFESSIONAL: Rate(organization=3_000, api_key=1_500),
    Plan.ENTERPRISE: Rate(organization=12_000, api_key=6_000),
}
"""The greatest is a fifth of the thousand writes per second that DynamoDB allows for one item."""

PERSONS_RATE = 300
"""A person's requests per WINDOW to routes outside any organization: their profile, a new organization, an invitation.
Requests in their organizations are counted separately."""

MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
ORGANIZATION, PERSON = "organization", "person"
KEY_SLOTS = 4096
"""Counters of API keys in one organization's item, which so stays below DynamoDB's 400 KB however many keys come and
go. Two keys on one slot share their limit."""
REMEMBERED = 10_000
"""Organizations whose counters are in a process's cache."""


ALLOWANCE_HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
"""The headers of draft-ietf-httpapi-ratelimit-headers-06, which clients know; later drafts renamed them."""


@dataclass(frozen=True)
class Allowance:
    """The rest of the tightest limit that a request counts towards; after `reset` seconds all of it is available
    again."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        values = (self.limit, self.remaining, self.reset)
        return {name: str(value) for name, value in zip(ALLOWANCE_HEADERS, values, strict=True)}


class RateLimited(Retryable):
    """More requests than the plan allows."""

    status = 429
    kind = "rate-limited"

    def __init__(self, allowance: Allowance, wait: int) -> None:
        super().__init__(
            f"More than {allowance.limit} requests in {WINDOW.seconds} s; try again in {wait} s.", retry_after=wait
        )
        self.allowance = allowance


class LevelCache:
    """The counters as this process last saw them. They only rise, so a cached value may refuse a request without asking
    the store, but never admits one."""

    def __init__(self) -> None:
        self._levels: OrderedDict[Key, dict[str, int]] = OrderedDict()

    def of(self, key: Key) -> Mapping[str, int]:
        return self._levels.get(key, {})

    def learn(self, key: Key, levels: CounterLevels) -> None:
        seen = self._levels.setdefault(key, {})
        seen.update(levels.reached)
        self._levels.move_to_end(key)
        if len(self._levels) > REMEMBERED:
            self._levels.popitem(last=False)

    def forget(self) -> None:
        self._levels.clear()


@dataclass(frozen=True)
class RateWindow:
    """The window of one request, from its floor to its ceiling, and the request's step per limit, in microseconds."""

    floor: int
    limits: Mapping[str, int]

    @property
    def ceiling(self) -> int:
        return self.floor + WINDOW // MICROSECOND

    @property
    def steps(self) -> dict[str, int]:
        return {name: WINDOW // MICROSECOND // limit for name, limit in self.limits.items()}

    @property
    def expires_at(self) -> int:
        return (self.ceiling + WINDOW // MICROSECOND) * MICROSECOND // SECOND

    def allowance(self, levels: Mapping[str, int]) -> Allowance:
        allowances = []
        for name, limit in self.limits.items():
            level = self._effective_level(levels, name)
            remaining = max(0, self.ceiling - level) // self.steps[name]
            allowances.append(Allowance(limit, remaining, _seconds(level - self.floor)))
        return min(allowances, key=lambda allowance: allowance.remaining)

    def wait(self, levels: Mapping[str, int]) -> int:
        """Seconds until one more request fits; 0 or less if it does now."""
        return max(
            _seconds(self._effective_level(levels, name) + step - self.ceiling) for name, step in self.steps.items()
        )

    def _effective_level(self, levels: Mapping[str, int], name: str) -> int:
        return effective_level(levels.get(name), self.floor, self.ceiling)


class RateLimiter:
    """The rate limits of one process's API. Counters are in the service's `RateLimitStore`, so that all processes share
    them; the cache spares the store requests that are refused anyway."""

    def __init__(self) -> None:
        self.cache = LevelCache()

    async def acquire(self, scope: OrgScope, plan: Plan, api_key: str | None = None) -> Allowance:
        """Count one request of the scope's organization, and of that key. Raises RateLimited for one too many, which
        counts towards nothing; Unavailable when the store does not answer."""
        limits = {ORGANIZATION: RATES[plan].organization}
        if api_key is not None:
            limits[f"k{shard_of(api_key, KEY_SLOTS)}"] = RATES[plan].api_key
        return await self._acquire(scope, limits)

    async def acquire_for_person(self, scope: UserScope) -> Allowance:
        """Count one request of the scope's user. Raises as `acquire` does."""
        return await self._acquire(scope, {PERSON: PERSONS_RATE})

    async def _acquire(self, scope: Scope, limits: Mapping[str, int]) -> Allowance:
        now, key = scope.now(), scope.key("RATE")
        window = RateWindow(int(now.timestamp()) * 1_000_000 + now.microsecond, limits)
        if window.wait(self.cache.of(key)) > 0:
            raise _refusal(window, self.cache.of(key))
        levels = await scope.port(RateLimitStore).advance_counters(
            key,
            window.steps,
            floor=window.floor,
            ceiling=window.ceiling,
            expires_at=window.expires_at,
            known=self.cache.of(key),
        )
        self.cache.learn(key, levels)
        if not levels.raised:
            raise _refusal(window, levels.reached)
        return window.allowance(levels.reached)


def _refusal(window: RateWindow, levels: Mapping[str, int]) -> RateLimited:
    return RateLimited(window.allowance(levels), max(1, window.wait(levels)))


def _seconds(microseconds: int) -> int:
    """Whole seconds, rounded up, so that a client that waits for them does not come back too early."""
    return -(-microseconds // (SECOND // MICROSECOND))

"""The comparison of expected effects with actual ones."""

import statistics
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from examples.first_day.holdings import Holdings
from examples.first_day.ledger import PROJECTIONS, Figures, Ledger

ANALYTICS_READS = ("project.created", "task.created", "task.assigned", "task.unassigned", "task.status_changed")


@dataclass
class Effect:
    """The effects of one consumer. `wrong` lists the differences."""

    expected: int
    actual: int
    duplicated: int
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return self.expected == self.actual and not self.duplicated and not self.wrong


def compare_counts(expected: Mapping[str, int], actual: Mapping[str, int]) -> Effect:
    """Compares effects that are counted by kind."""
    kinds = sorted(expected.keys() | actual.keys())
    pairs = {kind: (expected.get(kind, 0), actual.get(kind, 0)) for kind in kinds}
    return Effect(
        sum(want for want, _ in pairs.values()),
        sum(have for _, have in pairs.values()),
        sum(max(0, have - want) for want, have in pairs.values()),
        [f"{kind}: expected {want}, found {have}" for kind, (want, have) in pairs.items() if want != have],
    )


def compare_states(expected: Mapping[Any, Hashable], actual: Mapping[Any, Hashable]) -> Effect:
    """Compares effects that are items with a state each."""
    right = sum(actual.get(key) == state for key, state in expected.items())
    wrong = [
        f"{key}: expected {state}, found {actual.get(key)}"
        for key, state in expected.items()
        if actual.get(key) != state
    ]
    extra = [f"{key}: not expected" for key in actual.keys() - expected.keys()]
    return Effect(len(expected), right, len(extra), wrong + extra)


def compare_figures(expected: Mapping[str, Figures], actual: Mapping[str, Figures]) -> Effect:
    """Compares the sums of analytics, figure by figure for each project or person."""

    def flat(figures: Mapping[str, Figures]) -> dict[str, int]:
        return {f"{owner}.{name}": value for owner, each in figures.items() for name, value in asdict(each).items()}

    return compare_counts(flat(expected), flat(actual))


@dataclass
class Outcome:
    """The result of the day."""

    events: dict[str, dict[str, int]]
    effects: dict[str, Effect]
    by_type: dict[str, dict[str, tuple[int, int]]]
    """Event type -> consumer -> (expected, actual)."""
    repeated_emails: int
    latency_ms: dict[str, float]
    dead_letters: int
    chain: dict[str, Any]

    @property
    def good(self) -> bool:
        events = all(each["expected"] == each["found"] for each in self.events.values())
        chain = bool(self.chain.get("valid")) and self.chain.get("unsealed") == 0
        return events and chain and not self.dead_letters and all(effect.good for effect in self.effects.values())


def compare(ledger: Ledger, holdings: Holdings, dead_letters: int, chain: dict[str, Any]) -> Outcome:
    """The outcome: the ledger's expectations compared with the holdings."""
    analytics = Counter({t: n for t, n in ledger.events.items() if t.removeprefix("tasks.")[:-3] in ANALYTICS_READS})
    parts: dict[str, tuple[Mapping[str, int], Mapping[str, int]]] = {
        "audit": (ledger.events, holdings.events),
        "in-app": (ledger.notifications, holdings.notifications),
        "e-mail": (ledger.emails, holdings.emails),
        "analytics": (analytics, holdings.claims_by_type("analytics.figures")),
    }
    types = sorted(ledger.events.keys() | holdings.events.keys())
    return Outcome(
        events={t: {"expected": ledger.events[t], "found": holdings.events[t]} for t in types},
        effects=compare_effects(ledger, holdings, parts),
        by_type={
            t: {
                name: (want.get(t, 0), have.get(t, 0))
                for name, (want, have) in parts.items()
                if want.get(t) or have.get(t)
            }
            for t in types
        },
        repeated_emails=holdings.repeated_emails,
        latency_ms=_latency(holdings),
        dead_letters=dead_letters,
        chain=chain,
    )


def compare_effects(
    ledger: Ledger, holdings: Holdings, parts: dict[str, tuple[Mapping[str, int], Mapping[str, int]]]
) -> dict[str, Effect]:
    """The effects of each consumer. `parts` has the expected and actual effects by event type."""
    events = ledger.events
    effects = {
        "audit.records": compare_counts(*parts["audit"]),
        "notify.notifications": compare_counts(*parts["in-app"]),
        "notify.inboxes": compare_counts(ledger.notifications_by_user, holdings.inboxes),
        "notify.emails": compare_counts(*parts["e-mail"]),
        "analytics.events": compare_counts(*parts["analytics"]),
        "analytics.projects": compare_figures(ledger.projects, holdings.projects),
        "analytics.people": compare_figures(ledger.people, holdings.people),
        "files.files": compare_states(ledger.files, holdings.files),
        "tasks.tasks": compare_counts({"tasks": events["tasks.task.created.v1"]}, {"tasks": holdings.tasks}),
        "tasks.imports": compare_counts(
            {"imports": events["tasks.import.completed.v1"]}, {"imports": holdings.imports}
        ),
        "tenancy.personal_orgs": compare_counts({"orgs": len(ledger.orgs) - 1}, {"orgs": holdings.personal_orgs}),
    }
    members = {
        f"{service}.members": compare_states(ledger.members, holdings.members.get(service, {}))
        for service in ("tenancy", *PROJECTIONS)
    }
    return effects | members


def _latency(holdings: Holdings) -> dict[str, float]:
    """The time from the acceptance of an event to its last effect, by the tables' timestamps."""
    last: dict[str, float] = {}
    for claims in holdings.claims.values():
        for event_id, at in claims.items():
            if event_id in holdings.accepted:
                waited = (at - holdings.accepted[event_id]).total_seconds() * 1000
                last[event_id] = max(waited, last.get(event_id, 0.0))
    if len(last) < 2:
        return {}
    cuts = statistics.quantiles(last.values(), n=20)
    return {"p50": round(statistics.median(last.values()), 1), "p95": round(cuts[-1], 1), "events": len(last)}

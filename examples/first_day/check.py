"""Expected against found."""

import statistics
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from examples.first_day.found import Holdings
from examples.first_day.ledger import PROJECTIONS, Figures, Ledger

ANALYTICS_READS = ("project.created", "task.created", "task.assigned", "task.unassigned", "task.status_changed")


@dataclass
class Effect:
    """What one consumer should have made, and what it made. `wrong` names what differs."""

    expected: int
    found: int
    duplicated: int
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return self.expected == self.found and not self.duplicated and not self.wrong


def counted(expected: Mapping[str, int], found: Mapping[str, int]) -> Effect:
    """Effects that are counted by kind."""
    kinds = sorted(expected.keys() | found.keys())
    pairs = {kind: (expected.get(kind, 0), found.get(kind, 0)) for kind in kinds}
    return Effect(
        sum(want for want, _ in pairs.values()),
        sum(have for _, have in pairs.values()),
        sum(max(0, have - want) for want, have in pairs.values()),
        [f"{kind}: expected {want}, found {have}" for kind, (want, have) in pairs.items() if want != have],
    )


def matched(expected: Mapping[Any, Hashable], found: Mapping[Any, Hashable]) -> Effect:
    """Effects that are each one thing in one state."""
    right = sum(found.get(key) == state for key, state in expected.items())
    wrong = [
        f"{key}: expected {state}, found {found.get(key)}" for key, state in expected.items() if found.get(key) != state
    ]
    extra = [f"{key}: not expected" for key in found.keys() - expected.keys()]
    return Effect(len(expected), right, len(extra), wrong + extra)


def totals(expected: Mapping[str, Figures], found: Mapping[str, Figures]) -> Effect:
    """Sums of analytics, each figure of each project or person by itself."""

    def flat(figures: Mapping[str, Figures]) -> dict[str, int]:
        return {f"{owner}.{name}": value for owner, each in figures.items() for name, value in asdict(each).items()}

    return counted(flat(expected), flat(found))


@dataclass
class Outcome:
    """The day's result."""

    events: dict[str, dict[str, int]]
    effects: dict[str, Effect]
    by_type: dict[str, dict[str, tuple[int, int]]]
    """Event type -> consumer -> (expected, found)."""
    repeated_emails: int
    latency_ms: dict[str, float]
    dead_letters: int
    chain: dict[str, Any]

    @property
    def good(self) -> bool:
        events = all(each["expected"] == each["found"] for each in self.events.values())
        chain = bool(self.chain.get("valid")) and self.chain.get("unsealed") == 0
        return events and chain and not self.dead_letters and all(effect.good for effect in self.effects.values())


def compare(ledger: Ledger, found: Holdings, dead_letters: int, chain: dict[str, Any]) -> Outcome:
    analytics = Counter({t: n for t, n in ledger.events.items() if t.removeprefix("tasks.")[:-3] in ANALYTICS_READS})
    parts: dict[str, tuple[Mapping[str, int], Mapping[str, int]]] = {
        "audit": (ledger.events, found.events),
        "in-app": (ledger.notifications, found.notifications),
        "e-mail": (ledger.emails, found.emails),
        "analytics": (analytics, found.claimed("analytics.figures")),
    }
    effects = {
        "audit.records": counted(*parts["audit"]),
        "notify.notifications": counted(*parts["in-app"]),
        "notify.inboxes": counted(ledger.told, found.inboxes),
        "notify.emails": counted(*parts["e-mail"]),
        "analytics.events": counted(*parts["analytics"]),
        "analytics.projects": totals(ledger.projects, found.projects),
        "analytics.people": totals(ledger.people, found.people),
        "files.files": matched(ledger.files, found.files),
        "tasks.tasks": counted({"tasks": ledger.events["tasks.task.created.v1"]}, {"tasks": found.tasks}),
        "tasks.imports": counted({"imports": ledger.events["tasks.import.completed.v1"]}, {"imports": found.imports}),
        "tenancy.personal_orgs": counted({"orgs": len(ledger.orgs) - 1}, {"orgs": found.personal_orgs}),
    }
    effects |= {
        f"{service}.members": matched(ledger.members, found.members.get(service, {}))
        for service in ("tenancy", *PROJECTIONS)
    }
    types = sorted(ledger.events.keys() | found.events.keys())
    return Outcome(
        events={t: {"expected": ledger.events[t], "found": found.events[t]} for t in types},
        effects=effects,
        by_type={
            t: {
                name: (want.get(t, 0), have.get(t, 0))
                for name, (want, have) in parts.items()
                if want.get(t) or have.get(t)
            }
            for t in types
        },
        repeated_emails=found.repeated_emails,
        latency_ms=_latency(found),
        dead_letters=dead_letters,
        chain=chain,
    )


def _latency(found: Holdings) -> dict[str, float]:
    """From the acceptance of each event to its last effect, by the tables' own times."""
    last: dict[str, float] = {}
    for taken in found.claims.values():
        for event_id, at in taken.items():
            if event_id in found.accepted:
                waited = (at - found.accepted[event_id]).total_seconds() * 1000
                last[event_id] = max(waited, last.get(event_id, 0.0))
    if len(last) < 2:
        return {}
    cuts = statistics.quantiles(last.values(), n=20)
    return {"p50": round(statistics.median(last.values()), 1), "p95": round(cuts[-1], 1), "events": len(last)}

"""Checks for lost and duplicated effects.

The clients' own log is compared with the events that the bus accepted, and the state of each service with what must
follow from these events.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from verification.chaos.client import Log
from verification.chaos.evidence import DeadLetter, Holdings
from verification.simulation import folds
from verification.simulation.facts import Fact, Facts

MEMBERS = ("tenancy", "tasks", "notify", "audit", "analytics")


@dataclass
class Finding:
    """Result for one promise: how many things were expected, and which are lost, duplicated or otherwise wrong."""

    name: str
    expected: int
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.duplicated or self.wrong)


def compare_counts(name: str, wanted: Mapping[Any, int], actual: Mapping[Any, int]) -> Finding:
    """Compare how often things exist with how often they must; each step of a counter is one thing."""
    finding = Finding(name, sum(wanted.values()))
    for key in wanted.keys() | actual.keys():
        difference = actual.get(key, 0) - wanted.get(key, 0)
        for _ in range(abs(difference)):
            (finding.duplicated if difference > 0 else finding.lost).append(str(key))
    return finding


def compare_states(name: str, wanted: Mapping[Any, object], actual: Mapping[Any, object]) -> Finding:
    """Compare the states of things that exist once."""
    finding = Finding(name, len(wanted), lost=[str(key) for key in wanted.keys() - actual.keys()])
    finding.wrong = [f"{key}: not expected" for key in actual.keys() - wanted.keys()]
    finding.wrong += [
        f"{key}: expected {wanted[key]}, found {actual[key]}"
        for key in wanted.keys() & actual.keys()
        if wanted[key] != actual[key]
    ]
    return finding


def check_promises(log: Log, published: Mapping[str, str], holdings: Holdings, dead_letters: Finding) -> list[Finding]:
    """Every finding of a run. `published` are the events (id -> detail) that the bus accepted."""
    facts = Facts(published)
    return [
        check_commands(log, facts),
        check_organizations(facts, holdings),
        check_members(facts, holdings),
        check_tasks(facts, holdings),
        check_notifications(facts, holdings),
        check_unread(facts, holdings),
        check_mails(facts, holdings),
        check_audit(facts, holdings),
        check_figures(facts, holdings),
        Finding("outbox empty", 0, wrong=[f"{holdings.outbox} entries are left"] if holdings.outbox else []),
        dead_letters,
    ]


def check_commands(log: Log, facts: Facts) -> Finding:
    """Check that each acknowledged effect exists, and none more often than it was requested.

    A refused command must have no effect, unless an earlier try had no answer.
    """
    least: Counter[tuple[str, str]] = Counter()
    most: Counter[tuple[str, str]] = Counter()
    for command in log.commands:
        for effect in command.effects:
            key = (effect.type, effect.identity)
            most[key] += command.refused is None or command.uncertain
            if command.acknowledged:
                least[key] = least[key] + 1 if effect.promise == "each" else max(least[key], 1)
    actual = Counter((fact.type, fact.identity) for fact in facts.all if fact.identity is not None)
    finding = Finding("commands", sum(least.values()))
    for key in least.keys() | actual.keys():
        finding.lost += [str(key)] * max(0, least[key] - actual[key])
        finding.duplicated += [str(key)] * max(0, actual[key] - most[key])
    return finding


def check_members(facts: Facts, holdings: Holdings) -> Finding:
    """Check the memberships in tenancy and each service's projection of them."""
    expected = folds.memberships(facts)
    wanted = {
        (name, *member): state for name in MEMBERS if name in holdings.items for member, state in expected.items()
    }
    actual = {
        (name, item["PK"].split("#")[1], item["id"]): folds.membership_in(item)
        for name in MEMBERS
        for item in holdings.of(name, "MEMBER")
    }
    return compare_states("memberships", wanted, actual)


def check_organizations(facts: Facts, holdings: Holdings) -> Finding:
    """Check the organizations in tenancy and each service's projection of them."""
    expected = folds.organizations(facts)
    wanted = {(name, org): state for name in MEMBERS if name in holdings.items for org, state in expected.items()}
    actual = {
        (name, item["PK"].split("#")[1]): {field: item[field] for field in folds.STATE}
        for name in MEMBERS
        for item in holdings.of(name, "ORGANIZATION")
    }
    return compare_states("organizations", wanted, actual)


def check_tasks(facts: Facts, holdings: Holdings) -> Finding:
    """Check each task against the fold of its events, and that numbers in a project have no gap and no duplicate."""
    expected: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts.of(*(f"tasks.task.{kind}" for kind in ("created", "assigned", "unassigned", "status_changed"))):
        expected[fact.subject].append(fact)
    rows = {item["id"]: item for item in holdings.of("tasks", "TASK") if item["SK"] == "A"}

    def comparable(state: folds.TaskState | str) -> object:
        return state if isinstance(state, str) else (state.status, tuple(sorted(state.assignees)), state.version)

    finding = compare_states(
        "tasks",
        {task_id: comparable(folds.task_state(events)) for task_id, events in expected.items()},
        {task_id: (row["status"], tuple(sorted(row["assignee_ids"])), row["version"]) for task_id, row in rows.items()},
    )
    numbers: dict[str, list[int]] = defaultdict(list)
    for row in rows.values():
        numbers[row["project_id"]].append(row["number"])
    for project, used in numbers.items():
        if sorted(used) != list(range(1, len(used) + 1)):
            finding.wrong.append(f"{project} has the numbers {sorted(used)}")
    return finding


def check_notifications(facts: Facts, holdings: Holdings) -> Finding:
    actual = Counter((item["event_id"], item["user_id"]) for item in holdings.of("notify", "NOTIFICATION"))
    return compare_counts("notifications", Counter(folds.notifications(facts).in_app.keys()), actual)


def check_unread(facts: Facts, holdings: Holdings) -> Finding:
    wanted = Counter((org, user_id) for (_, user_id), org in folds.notifications(facts).in_app.items())
    actual = {(item["PK"].split("#")[1], item["user_id"]): item["unread"] for item in holdings.of("notify", "UNREAD")}
    return compare_counts("unread counters", wanted, actual)


def check_mails(facts: Facts, holdings: Holdings) -> Finding:
    """Check that each e-mail was sent at least once: a repeat has the same id."""
    wanted = Counter(f"{event}.{recipient}" for event, recipient in folds.notifications(facts).mails)
    return compare_counts("e-mails", wanted, Counter(holdings.mails.keys()))


def check_audit(facts: Facts, holdings: Holdings) -> Finding:
    """Check that each event has one sealed record with the same content."""
    wanted = {fact.id: fact for fact in facts.all}
    records = holdings.of("audit", "RECORD")
    finding = compare_counts("audit records", Counter(wanted.keys()), Counter(record["id"] for record in records))
    for record in records:
        fact = wanted.get(record["id"])
        content = (record["org_id"], record["action"], record["actor"])
        if fact is not None and content != (fact.org, fact.type, fact.actor):
            finding.wrong.append(f"the record of {fact.id} has {content}")
        if record.get("seq") is None:
            finding.wrong.append(f"{record['id']} is not sealed")
    return finding


def check_figures(facts: Facts, holdings: Holdings) -> Finding:
    wanted = _flatten(folds.figures(facts))
    actual = _flatten(
        {
            (item["PK"].split("#")[1], kind, item[name]): folds.nonzero(item)
            for kind, name in (("PROJECT", "project_id"), ("PERSON", "user_id"))
            for item in holdings.of("analytics", kind)
        }
    )
    return compare_counts("figures", wanted, actual)


def _flatten(sums: Mapping[tuple[str, str, str], Mapping[str, int]]) -> dict[tuple[str, ...], int]:
    return {(*key, name): value for key, counts in sums.items() for name, value in counts.items()}


def check_dead_letters(
    sent: Mapping[str, set[str]], on_bus: Mapping[str, set[str]], actual: list[DeadLetter]
) -> Finding:
    """Check that the dead letters are exactly the poison messages, each with a reason.

    They are compared by source message id, or by event id if they came over the bus. The same dead letter twice is
    allowed: a crash between sending it and deleting its message repeats it.
    """
    finding = Finding("dead letters", sum(map(len, (*sent.values(), *on_bus.values()))))
    seen: set[tuple[str, str]] = set()
    for dead_letter in actual:
        name = next(
            (
                message_id
                for message_id, poison in ((dead_letter.source, sent), (dead_letter.event_id or "", on_bus))
                if message_id in poison.get(dead_letter.queue, ())
            ),
            None,
        )
        if name is None:
            finding.wrong.append(
                f"healthy in {dead_letter.queue} ({dead_letter.reason or 'receives ran out'}): {_excerpt(dead_letter)}"
            )
            continue
        seen.add((dead_letter.queue, name))
        if not dead_letter.reason:
            finding.wrong.append(f"{name} in {dead_letter.queue} has no reason: {_excerpt(dead_letter)}")
    for queue, names in (*sent.items(), *on_bus.items()):
        finding.lost += [f"{name} in {queue}" for name in names if (queue, name) not in seen]
    return finding


def _excerpt(dead_letter: DeadLetter) -> str:
    return json.dumps(dead_letter.body[:300])

"""What is lost and what is there twice: the clients' own log against what the bus took, and each service's holdings
against all that must follow from it."""

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
    """One promise: how many things were expected, and which of them are lost, there too often, or otherwise wrong."""

    name: str
    expected: int
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.duplicated or self.wrong)


def compared(name: str, wanted: Mapping[Any, int], found: Mapping[Any, int]) -> Finding:
    """Things by how often they must be there; of a counter, each step is one thing."""
    finding = Finding(name, sum(wanted.values()))
    for key in wanted.keys() | found.keys():
        difference = found.get(key, 0) - wanted.get(key, 0)
        for _ in range(abs(difference)):
            (finding.duplicated if difference > 0 else finding.lost).append(str(key))
    return finding


def matched(name: str, wanted: Mapping[Any, object], found: Mapping[Any, object]) -> Finding:
    """Things that are each in one state."""
    finding = Finding(name, len(wanted), lost=[str(key) for key in wanted.keys() - found.keys()])
    finding.wrong = [f"{key}: not expected" for key in found.keys() - wanted.keys()]
    finding.wrong += [
        f"{key}: expected {wanted[key]}, found {found[key]}"
        for key in wanted.keys() & found.keys()
        if wanted[key] != found[key]
    ]
    return finding


def findings(log: Log, published: Mapping[str, str], held: Holdings, letters: Finding) -> list[Finding]:
    """`published` are the events (id -> detail) that the bus took."""
    facts = Facts(published)
    return [
        commands(log, facts),
        organizations(facts, held),
        members(facts, held),
        tasks(facts, held),
        notifications(facts, held),
        unread(facts, held),
        mails(facts, held),
        audit(facts, held),
        figures(facts, held),
        Finding("outbox empty", 0, wrong=[f"{held.outbox} entries are left"] if held.outbox else []),
        letters,
    ]


def commands(log: Log, facts: Facts) -> Finding:
    """Each acknowledged effect is there, and none more often than it was asked for. A refusal means that it was not
    done, unless an earlier try had no answer."""
    least: Counter[tuple[str, str]] = Counter()
    most: Counter[tuple[str, str]] = Counter()
    for command in log.commands:
        for effect in command.effects:
            place = (effect.type, effect.identity)
            most[place] += command.refused is None or command.uncertain
            if command.acknowledged:
                least[place] = least[place] + 1 if effect.promise == "each" else max(least[place], 1)
    found = Counter((fact.type, fact.identity) for fact in facts.all if fact.identity is not None)
    finding = Finding("commands", sum(least.values()))
    for place in least.keys() | found.keys():
        finding.lost += [str(place)] * max(0, least[place] - found[place])
        finding.duplicated += [str(place)] * max(0, found[place] - most[place])
    return finding


def members(facts: Facts, held: Holdings) -> Finding:
    """The memberships in tenancy, and each service's projection of them."""
    told = folds.memberships(facts)
    wanted = {(name, *place): state for name in MEMBERS if name in held.items for place, state in told.items()}
    found = {
        (name, item["PK"].split("#")[1], item["id"]): folds.held(item)
        for name in MEMBERS
        for item in held.of(name, "MEMBER")
    }
    return matched("memberships", wanted, found)


def organizations(facts: Facts, held: Holdings) -> Finding:
    """The organizations in tenancy, and each service's projection of them."""
    told = folds.organizations(facts)
    wanted = {(name, org): state for name in MEMBERS if name in held.items for org, state in told.items()}
    found = {
        (name, item["PK"].split("#")[1]): {field: item[field] for field in folds.STATE}
        for name in MEMBERS
        for item in held.of(name, "ORGANIZATION")
    }
    return matched("organizations", wanted, found)


def tasks(facts: Facts, held: Holdings) -> Finding:
    """A task is what its events make of it, version by version; numbers of a project have no gap and no double."""
    told: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts.of(*(f"tasks.task.{kind}" for kind in ("created", "assigned", "unassigned", "status_changed"))):
        told[fact.subject].append(fact)
    rows = {item["id"]: item for item in held.of("tasks", "TASK") if item["SK"] == "A"}
    finding = matched(
        "tasks",
        {task_id: _state(folds.task_state(events)) for task_id, events in told.items()},
        {task_id: (row["status"], tuple(sorted(row["assignee_ids"])), row["version"]) for task_id, row in rows.items()},
    )
    numbers: dict[str, list[int]] = defaultdict(list)
    for row in rows.values():
        numbers[row["project_id"]].append(row["number"])
    for project, given in numbers.items():
        if sorted(given) != list(range(1, len(given) + 1)):
            finding.wrong.append(f"{project} has the numbers {sorted(given)}")
    return finding


def _state(state: folds.TaskState | str) -> object:
    return state if isinstance(state, str) else (state.status, tuple(sorted(state.assignees)), state.version)


def notifications(facts: Facts, held: Holdings) -> Finding:
    found = Counter((item["event_id"], item["user_id"]) for item in held.of("notify", "NOTIFICATION"))
    return compared("notifications", Counter(folds.notices(facts).notes.keys()), found)


def unread(facts: Facts, held: Holdings) -> Finding:
    wanted = Counter((org, user_id) for (_, user_id), org in folds.notices(facts).notes.items())
    found = {(item["PK"].split("#")[1], item["user_id"]): item["unread"] for item in held.of("notify", "UNREAD")}
    return compared("unread counters", wanted, found)


def mails(facts: Facts, held: Holdings) -> Finding:
    """At least once, by distinct id: what leaves us may come twice, with the same id."""
    wanted = Counter(f"{event}.{whom}" for event, whom in folds.notices(facts).mails)
    return compared("e-mails", wanted, Counter(held.mails.keys()))


def audit(facts: Facts, held: Holdings) -> Finding:
    """One record of each event, which says what the event says, and all of them sealed."""
    wanted = {fact.id: fact for fact in facts.all}
    records = held.of("audit", "RECORD")
    finding = compared("audit records", Counter(wanted.keys()), Counter(record["id"] for record in records))
    for record in records:
        fact = wanted.get(record["id"])
        said = (record["org_id"], record["action"], record["actor"])
        if fact is not None and said != (fact.org, fact.type, fact.actor):
            finding.wrong.append(f"the record of {fact.id} says {said}")
        if record.get("seq") is None:
            finding.wrong.append(f"{record['id']} is not sealed")
    return finding


def figures(facts: Facts, held: Holdings) -> Finding:
    wanted = _flat({(*place,): sums for place, sums in folds.figures(facts).items()})
    found = _flat(
        {
            (item["PK"].split("#")[1], kind, item[name]): folds.nonzero(item)
            for kind, name in (("PROJECT", "project_id"), ("PERSON", "user_id"))
            for item in held.of("analytics", kind)
        }
    )
    return compared("figures", wanted, found)


def _flat(sums: Mapping[tuple[str, str, str], Mapping[str, int]]) -> dict[tuple[str, ...], int]:
    return {(*place, name): value for place, counts in sums.items() for name, value in counts.items()}


def dead_letters(
    sent: Mapping[str, set[str]], on_bus: Mapping[str, set[str]], letters: list[DeadLetter]
) -> Finding:  # fmt: skip
    """Exactly the poison, by source message id (or event id, for what came over the bus), each with a reason. The same
    letter twice is allowed: a crash between burying and deleting repeats it."""
    finding = Finding("dead letters", sum(map(len, (*sent.values(), *on_bus.values()))))
    met: set[tuple[str, str]] = set()
    for letter in letters:
        name = next(
            (
                each
                for each, known in ((letter.source, sent), (letter.event_id or "", on_bus))
                if each in known.get(letter.queue, ())
            ),
            None,
        )
        if name is None:
            finding.wrong.append(f"healthy in {letter.queue} ({letter.reason or 'receives used up'}): {_start(letter)}")
            continue
        met.add((letter.queue, name))
        if not letter.reason:
            finding.wrong.append(f"{name} in {letter.queue} has no reason: {_start(letter)}")
    for queue, names in (*sent.items(), *on_bus.items()):
        finding.lost += [f"{name} in {queue}" for name in names if (queue, name) not in met]
    return finding


def _start(letter: DeadLetter) -> str:
    return json.dumps(letter.body[:300])

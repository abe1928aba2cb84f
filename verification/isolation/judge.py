"""Judgement of attacks: leaks are secrets shown, foreign rows touched, and differences from ids that do not exist."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from verification.isolation.people import MARKER
from verification.isolation.recording import Call, normalize
from verification.isolation.world import Outcome, World

IDS = re.compile(r"\b(?:org|user|proj|task|cmt|imp|inv|file|ntf|key)_[0-9a-z]+")
OWNER = re.compile(r"(ORG|USER)#([^#]+)")
GLOBAL = ("OUTBOX#", "INBOX#", "UNIQUE#", "TOKEN#", "WORK#")
TRACE = re.compile(r'"trace_id":\s*"[0-9a-f]+",?')
TIMING = re.compile(r'"ms": [0-9.]+')


@dataclass(frozen=True)
class Leak:
    """A leak: the target, the attack, and what it reached."""

    service: str
    target: str
    attack: str
    what: str

    def __str__(self) -> str:
        return f"{self.service}: {self.target}: {self.attack}: {self.what}"


@dataclass
class Report:
    """Report on one service. `uncovered` are targets that no attack covers, with the reasons."""

    service: str
    routes: int = 0
    subscriptions: int = 0
    methods: int = 0
    attacks: int = 0
    by: dict[type, int] = field(default_factory=dict)
    """Attacks of each kind."""
    leaks: list[Leak] = field(default_factory=list)
    uncovered: list[str] = field(default_factory=list)

    def count(self, target: str, attack: str, leaks: Iterable[str]) -> None:
        """Count one attack, with its leaks."""
        self.attacks += 1
        self.leaks += [Leak(self.service, target, attack, what) for what in leaks]


@dataclass(frozen=True)
class Reach:
    """The rows that an attacker may touch: all except those of `closed` organizations and of other people.

    Rows that a guard reads to find that the attacker has no membership do not count as touched.
    """

    closed: frozenset[str]
    users: frozenset[str]
    keys: frozenset[str] = frozenset()
    """API keys that a guard may look up."""

    def owns(self, key: str) -> bool:
        """Whether the attacker may touch a partition."""
        owner = OWNER.match(key)
        if owner is None:
            return key.startswith(GLOBAL)
        kind, owner_id = owner.groups()
        return owner_id in self.users if kind == "USER" else owner_id not in self.closed

    def strays(self, calls: Iterable[Call]) -> Iterator[str]:
        """Calls that touch rows beyond this reach."""
        for call in calls:
            if self._is_lookup_of_guard(call):
                continue
            for partition in call.partitions:
                if not self.owns(partition):
                    yield f"touches {partition} ({call.name})"
            for list_key in call.lists:
                if not self.owns(list_key) and not list_key.startswith("USER#"):
                    yield f"writes into the list {list_key}"

    def _is_lookup_of_guard(self, call: Call) -> bool:
        """Whether a call reads exactly the caller's membership and that organization, or an API key."""
        owner = OWNER.match(call.partitions[0]) if call.partitions else None
        if owner is None or call.name not in {"get", "get_all"}:
            return False
        org = f"ORG#{owner[2]}"
        if call.name == "get":
            return call.partitions in [(f"{org}#API_KEY#{key}",) for key in self.keys]
        return call.partitions in [(f"{org}#MEMBER#{user}", f"{org}#ORGANIZATION#{owner[2]}") for user in self.users]


def reach_of(world: World, user: str) -> Reach:
    """Reach of a member of the attacker's organization."""
    return Reach(frozenset(victims_orgs(world)), frozenset({user}))


def no_reach(world: World, *users: str) -> Reach:
    """Reach of a person without an organization."""
    return Reach(frozenset(_orgs(world)), frozenset(users))


def victims_orgs(world: World) -> set[str]:
    """Organizations whose rows have planted texts."""
    return {org for org in _orgs(world) if any(MARKER in str(row).lower() for row in world.rows(org))}


def secrets(world: World) -> set[str]:
    """The victim's secrets: the planted texts, and every id that only the victim's rows have."""
    theirs: set[str] = set()
    others: set[str] = set()
    victim = victims_orgs(world)
    for key, item in world.table.items.items():
        if owner := OWNER.match(key.pk):
            ids = theirs if owner[2] in victim or owner[2] == world.vera.id else others
            ids.update(IDS.findall(str(item)))
    return {MARKER} | (theirs - others)


def leaked_secrets(secret_words: set[str], outcome: Outcome, sent: str, known: Iterable[str] = ()) -> Iterator[str]:
    """Secrets in the answer or in the log lines.

    Values that the attacker sent (`sent`) or knows (`known`) may be repeated.
    """
    text = outcome.visible_text.lower()
    for value in sorted(known, key=len, reverse=True):
        text = text.replace(value.lower(), "")
    for secret in sorted(secret_words):
        if secret in text and secret not in sent.lower():
            yield f"shows {secret!r}"


def victim_values_in(world: World, text: str) -> list[str]:
    """The victim's values in a request or an event of the attacker."""
    return [pair.victim for pair in world.pairs.values() if pair.victim in text]


def differences(outcome: Outcome, control: Outcome, names: Mapping[str, str]) -> Iterator[str]:
    """Differences from the same attack on ids that do not exist."""
    for what, attacked, missing in (
        ("status", str(outcome.status), str(control.status)),
        ("body", TRACE.sub("", outcome.body), TRACE.sub("", control.body)),
        ("headers", json.dumps(dict(outcome.headers)), json.dumps(dict(control.headers))),
        ("table calls", _text_of(outcome.calls), _text_of(control.calls)),
        ("log lines", TIMING.sub("", outcome.logs), TIMING.sub("", control.logs)),
    ):
        actual, expected = normalize(attacked, names), normalize(missing, names)
        if actual != expected:
            yield f"{what} differ from those for ids that do not exist: {_first_difference(actual, expected)}"


def changes(world: World, reach: Reach) -> Iterator[str]:
    """Changed rows that are not the attacker's."""
    for key in world.changed_keys():
        if not reach.owns(key.pk):
            yield f"changes {key.pk} {key.sk}"


def _orgs(world: World) -> set[str]:
    owners = (OWNER.match(key.pk) for key in world.table.items)
    return {owner[2] for owner in owners if owner is not None and owner[1] == "ORG"}


def _text_of(calls: Iterable[Call]) -> str:
    return "\n".join(call.text for call in calls)


def _first_difference(actual: str, expected: str) -> str:
    pairs = enumerate(zip(actual, expected, strict=False))
    at = next((at for at, (a, b) in pairs if a != b), min(len(actual), len(expected)))
    start = max(0, at - 80)
    return f"{actual[start : at + 120]!r}, not {expected[start : at + 120]!r}"

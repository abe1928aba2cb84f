"""What counts as a leak: what an attack gave away, did, or did otherwise than for an id that does not exist."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from verification.isolation.people import MARKER
from verification.isolation.recording import Call, alike
from verification.isolation.world import Outcome, World

IDS = re.compile(r"\b(?:org|user|proj|task|cmt|imp|inv|file|ntf|key)_[0-9a-z]+")
OWNER = re.compile(r"(ORG|USER)#([^#]+)")
GLOBAL = ("OUTBOX#", "INBOX#", "UNIQUE#", "TOKEN#", "WORK#")
TRACE = re.compile(r'"trace_id":\s*"[0-9a-f]+",?')
TIMING = re.compile(r'"ms": [0-9.]+')


@dataclass(frozen=True)
class Leak:
    """A hole in a wall: where, by which attack, and what came through."""

    service: str
    target: str
    attack: str
    what: str

    def __str__(self) -> str:
        return f"{self.service}: {self.target}: {self.attack}: {self.what}"


@dataclass
class Report:
    """What was attacked in one service. `uncovered` is what no attack reaches, and why."""

    service: str
    routes: int = 0
    subscriptions: int = 0
    methods: int = 0
    attacks: int = 0
    by: dict[type, int] = field(default_factory=dict)
    """Attacks of each kind."""
    leaks: list[Leak] = field(default_factory=list)
    uncovered: list[str] = field(default_factory=list)

    def count(self, target: str, attack: str, found: Iterable[str]) -> None:
        """One attack was carried out, and this was wrong with what came back."""
        self.attacks += 1
        self.leaks += [Leak(self.service, target, attack, what) for what in found]


@dataclass(frozen=True)
class Reach:
    """What an attacker may touch: all but the rows of `closed` organizations and of other people. What the guard of
    another organization's route looks up, to find no membership there, is no trespass."""

    closed: frozenset[str]
    users: frozenset[str]
    keys: frozenset[str] = frozenset()
    """API keys, which are looked up in the same way."""

    def owns(self, key: str) -> bool:
        owner = OWNER.match(key)
        if owner is None:
            return key.startswith(GLOBAL)
        kind, of = owner.groups()
        return of in self.users if kind == "USER" else of not in self.closed

    def strays(self, calls: Iterable[Call]) -> Iterator[str]:
        for call in calls:
            if self._is_guards(call):
                continue
            for partition in call.partitions:
                if not self.owns(partition):
                    yield f"touches {partition} ({call.name})"
            for place in call.lists:
                if not self.owns(place) and not place.startswith("USER#"):
                    yield f"writes into the list {place}"

    def _is_guards(self, call: Call) -> bool:
        """The caller's own membership and the state of that organization, together and nothing else; or an API key."""
        owner = OWNER.match(call.partitions[0]) if call.partitions else None
        if owner is None or call.name not in {"get", "get_all"}:
            return False
        org = f"ORG#{owner[2]}"
        if call.name == "get":
            return call.partitions in [(f"{org}#API_KEY#{key}",) for key in self.keys]
        return call.partitions in [(f"{org}#MEMBER#{user}", f"{org}#ORGANIZATION#{owner[2]}") for user in self.users]


def reach_of(world: World, user: str) -> Reach:
    """Of a member of the attacker's organization."""
    return Reach(frozenset(victims_orgs(world)), frozenset({user}))


def no_reach(world: World, *users: str) -> Reach:
    """Of somebody who belongs to no organization."""
    return Reach(frozenset(_orgs(world)), frozenset(users))


def victims_orgs(world: World) -> set[str]:
    return {org for org in _orgs(world) if any(MARKER in str(row).lower() for row in world.rows(org))}


def secrets(world: World) -> set[str]:
    """What nobody else may see: the planted texts, and every id that only the victim's rows have."""
    theirs: set[str] = set()
    others: set[str] = set()
    victim = victims_orgs(world)
    for key, item in world.table.items.items():
        if owner := OWNER.match(key.pk):
            of = theirs if owner[2] in victim or owner[2] == world.vera.id else others
            of.update(IDS.findall(str(item)))
    return {MARKER} | (theirs - others)


def shown(secret_words: set[str], outcome: Outcome, sent: str, known: Iterable[str] = ()) -> Iterator[str]:
    """Secrets in the answer or in the log lines, beyond those in `sent` and outside the very values that are `known`:
    what the attacker says themselves may be said back."""
    seen = outcome.seen.lower()
    for value in sorted(known, key=len, reverse=True):
        seen = seen.replace(value.lower(), "")
    for secret in sorted(secret_words):
        if secret in seen and secret not in sent.lower():
            yield f"shows {secret!r}"


def said(world: World, text: str) -> list[str]:
    """The victim's values that stand in a request or an event of the attacker."""
    return [pair.victim for pair in world.pairs.values() if pair.victim in text]


def differences(outcome: Outcome, control: Outcome, names: Mapping[str, str]) -> Iterator[str]:
    """In what the attack can be told from the same attack on what does not exist."""
    for what, one, other in (
        ("status", str(outcome.status), str(control.status)),
        ("body", _plain(outcome.body), _plain(control.body)),
        ("headers", json.dumps(dict(outcome.headers)), json.dumps(dict(control.headers))),
        ("table calls", _joined(outcome.calls), _joined(control.calls)),
        ("log lines", TIMING.sub("", outcome.logs), TIMING.sub("", control.logs)),
    ):
        mine, theirs = alike(one, names), alike(other, names)
        if mine != theirs:
            yield f"{what} differ from those for what does not exist: {_first_difference(mine, theirs)}"


def changes(world: World, reach: Reach) -> Iterator[str]:
    """Rows that are not the attacker's and are not what they were."""
    for key in world.changed_keys():
        if not reach.owns(key.pk):
            yield f"changes {key.pk} {key.sk}"


def _orgs(world: World) -> set[str]:
    owners = (OWNER.match(key.pk) for key in world.table.items)
    return {owner[2] for owner in owners if owner is not None and owner[1] == "ORG"}


def _plain(body: str) -> str:
    return TRACE.sub("", body)


def _joined(calls: Iterable[Call]) -> str:
    return "\n".join(call.text for call in calls)


def _first_difference(mine: str, theirs: str) -> str:
    at = next((at for at, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), min(len(mine), len(theirs)))
    start = max(0, at - 80)
    return f"{mine[start : at + 120]!r}, not {theirs[start : at + 120]!r}"

"""What a set of contracts does to all who live by it: the changes, whom each breaks, and what is left over."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from contracts.check.change import BREAKING, SAFE, Change, Severity
from contracts.check.compare import changes, fields, misfits
from contracts.check.shape import Schema


@dataclass(frozen=True)
class Reader:
    """One handler and what it reads of one event type. `line` is 0 where it is not known."""

    service: str
    subscription: str
    event_type: str
    handler: str
    file: str
    line: int
    schema: Schema
    deployed: bool = False
    """It is the consumer of the base revision, which may run for as long as its service is not deployed again."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{self.service} ({place} {self.handler}{', as of the base revision' if self.deployed else ''})"

    @property
    def key(self) -> tuple[str, str, str]:
        return self.service, self.event_type, self.handler


@dataclass(frozen=True)
class Snapshot:
    """The contracts at one revision: schemas by event type, readers, and golden examples by path.

    `upcasts` says which type each old type is turned into.
    """

    schemas: Mapping[str, Schema]
    readers: tuple[Reader, ...] = ()
    golden: Mapping[str, bytes] = field(default_factory=dict)
    upcasts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """A change of `event_type`, or a consumer's misfit with it, and the readers that it breaks."""

    event_type: str
    change: Change
    breaks: tuple[Reader, ...] = ()
    read_by: tuple[Reader, ...] = ()
    by_consumer: bool = False
    """The contract did not change here: what the consumer asks for is not promised."""

    @property
    def severity(self) -> Severity:
        return BREAKING if self.breaks else self.change.worst


Stumbles = dict[str, dict[Change, list[Reader]]]
"""Who stumbles at which field over what."""


@dataclass(frozen=True)
class Verdict:
    findings: tuple[Finding, ...]
    removable: tuple[str, ...]
    """Old versions that nobody subscribes to any more."""
    waiting: Mapping[str, tuple[Reader, ...]]
    """Old versions that have a successor, and who still subscribes to them."""
    unread: Mapping[str, tuple[str, ...]]
    """Fields that no consumer reads, by event type."""
    edited: tuple[str, ...] = ()
    """Golden examples that are not what they were: they stand for events that exist, so none may change or go."""

    @property
    def breaking(self) -> bool:
        return bool(self.edited) or any(one.severity is BREAKING for one in self.findings)


def judge(base: Snapshot, tree: Snapshot) -> Verdict:
    """Compare `tree` with `base`, for every pair that can meet while services are deployed one at a time."""
    findings: list[Finding] = []
    for event_type in sorted({*base.schemas, *tree.schemas}):
        findings += _of_event(event_type, base, tree)
    findings += _without_upcaster(base, tree)
    current = _readers_by_type(tree.readers)
    waiting = {old: tuple(current.get(old, ())) for old in _superseded(tree.schemas)}
    return Verdict(
        edited=tuple(sorted(path for path, text in base.golden.items() if tree.golden.get(path) != text)),
        findings=tuple(findings),
        removable=tuple(old for old, readers in waiting.items() if not readers),
        waiting={old: readers for old, readers in waiting.items() if readers},
        unread={
            name: unread for name, schema in tree.schemas.items() if (unread := _unread(schema, current.get(name, ())))
        },
    )


def _of_event(event_type: str, base: Snapshot, tree: Snapshot) -> Iterator[Finding]:
    old, new = base.schemas.get(event_type), tree.schemas.get(event_type)
    here = _readers_by_type(tree.readers).get(event_type, [])
    there = _readers_by_type(base.readers).get(event_type, [])
    if new is None:
        yield _deleted(event_type, tree, [*here, *_deployed(there, here)])
        return
    stumbles = _stumbles(new, [*here, *(_deployed(there, here) if old != new else ())])
    if old is None:
        yield Finding(event_type, Change("", "event", "added"))
    else:
        for change in _all_changes(event_type, old, base, tree):
            yield _finding(event_type, change, stumbles, [*here, *there])
    for found in stumbles.values():
        for misfit, readers in found.items():
            yield Finding(event_type, misfit, _once(readers), by_consumer=True)
    if old is not None and old != new:
        yield from _older_producers(event_type, old, here, new)


def _stumbles(schema: Schema, readers: Iterable[Reader]) -> Stumbles:
    found: Stumbles = defaultdict(lambda: defaultdict(list))
    for reader in readers:
        for misfit in misfits(reader.schema, schema):
            found[misfit.field][misfit].append(reader)
    return found


def _all_changes(event_type: str, old: Schema, base: Snapshot, tree: Snapshot) -> list[Change]:
    new = tree.schemas[event_type]
    found = changes(old, new)
    title, known = new.get("title"), {schema.get("title"): name for name, schema in base.schemas.items()}
    if title != old.get("title") and known.get(title, event_type) != event_type:
        what = f"the type now names {title}, which was {known[title]}: another fact"
        found.insert(0, Change("", "meaning", what, BREAKING, BREAKING))
    return found


def _finding(event_type: str, change: Change, stumbles: Stumbles, readers: list[Reader]) -> Finding:
    """The change with those who stumble at its field; what they stumble over is thereby said."""
    breaks: list[Reader] = []
    if change.consumers is not SAFE or change.kind == "added":
        for misfit in list(stumbles.get(change.field, ())):
            breaks += stumbles[change.field].pop(misfit)
    read_by = [one for one in readers if change.field in fields(one.schema)]
    return Finding(event_type, change, _once(breaks), _once(read_by))


def _deleted(event_type: str, tree: Snapshot, readers: list[Reader]) -> Finding:
    family, version = split(event_type)
    if not readers and any(split(name) > (family, version) and split(name)[0] == family for name in tree.schemas):
        return Finding(event_type, Change("", "event", "deleted: it has a successor, and nobody subscribes to it"))
    return Finding(event_type, Change("", "event", "deleted", BREAKING, BREAKING), _once(readers))


def _without_upcaster(base: Snapshot, tree: Snapshot) -> Iterator[Finding]:
    for new in tree.schemas:
        family, version = split(new)
        old = f"{family}.v{version - 1}"
        if old in {*base.schemas, *tree.schemas} and tree.upcasts.get(old) != new:
            what = f"no upcaster turns {old} into {new}: who moves loses what was written before"
            yield Finding(new, Change("", "version", what, BREAKING, SAFE))


def _older_producers(event_type: str, old: Schema, here: list[Reader], new: Schema) -> Iterator[Finding]:
    """Consumers of the tree against events that the deployed producer still writes."""
    for reader in here:
        known = misfits(reader.schema, new)
        for misfit in misfits(reader.schema, old, deployed=True):
            if misfit not in known:
                what = f"{misfit.what} in events of the base revision"
                found = Change(misfit.field, misfit.kind, what, BREAKING, SAFE)
                yield Finding(event_type, found, (reader,), by_consumer=True)


def _deployed(there: list[Reader], here: list[Reader]) -> Iterator[Reader]:
    """Readers of the base, with the line at which the handler stands today. Each is judged apart from today's."""
    lines = {one.key: one for one in here}
    for reader in there:
        today = lines.get(reader.key)
        if today is None or today.schema != reader.schema:
            yield replace(reader, line=today.line if today else reader.line, deployed=True)


def _once(readers: Iterable[Reader]) -> tuple[Reader, ...]:
    """One mention a handler; today's before the deployed one."""
    found: dict[tuple[str, str, str], Reader] = {}
    for reader in readers:
        if reader.key not in found or found[reader.key].deployed:
            found[reader.key] = reader
    return tuple(found[key] for key in sorted(found))


def split(event_type: str) -> tuple[str, int]:
    """`tasks.task.assigned.v2` is version 2 of `tasks.task.assigned`."""
    family, _, version = event_type.rpartition(".v")
    return family, int(version) if version.isdigit() else 0


def _superseded(types: Iterable[str]) -> list[str]:
    newest: dict[str, int] = {}
    for family, version in map(split, types):
        newest[family] = max(newest.get(family, 0), version)
    return sorted(name for name in types if split(name)[1] < newest[split(name)[0]])


def _unread(schema: Schema, readers: Iterable[Reader]) -> tuple[str, ...]:
    read = {path for reader in readers for path in fields(reader.schema)}
    nested = {path[:at] for path in read for at, mark in enumerate(path) if mark in ".[{"}
    whole = tuple(
        f"{path}{mark}" for path in read - nested for mark in ".[{"
    )  # read as a dict, so with all that is in it
    return tuple(path for path in fields(schema) if path not in read and not path.startswith(whole))


def _readers_by_type(readers: Iterable[Reader]) -> dict[str, list[Reader]]:
    found: dict[str, list[Reader]] = {}
    for reader in readers:
        found.setdefault(reader.event_type, []).append(reader)
    return found

"""The verdict about a set of contracts: changes, the consumers that each breaks, unused versions and fields."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from contracts.check.change import BREAKING, SAFE, Change, Severity
from contracts.check.compare import changes, fields, misfits
from contracts.check.shape import Schema


@dataclass(frozen=True)
class Reader:
    """A handler and its subset of one event type. `line` is 0 if it is not known."""

    service: str
    subscription: str
    event_type: str
    handler: str
    file: str
    line: int
    schema: Schema
    deployed: bool = False
    """True for a consumer of the base revision, which may run until its service is deployed again."""

    def __str__(self) -> str:
        location = f"{self.file}:{self.line}" if self.line else self.file
        return f"{self.service} ({location} {self.handler}{', as of the base revision' if self.deployed else ''})"

    @property
    def key(self) -> tuple[str, str, str]:
        return self.service, self.event_type, self.handler


@dataclass(frozen=True)
class Snapshot:
    """The contracts at one revision: schemas by event type, readers, and golden examples by path.

    `upcasts` maps each old type to the type that its upcaster converts it to.
    """

    schemas: Mapping[str, Schema]
    readers: tuple[Reader, ...] = ()
    golden: Mapping[str, bytes] = field(default_factory=dict)
    upcasts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """A change of `event_type`, or a misfit of a consumer with it, and the readers that it breaks."""

    event_type: str
    change: Change
    breaks: tuple[Reader, ...] = ()
    read_by: tuple[Reader, ...] = ()
    by_consumer: bool = False
    """True if the contract did not change here: the consumer requires more than it promises."""

    @property
    def severity(self) -> Severity:
        return BREAKING if self.breaks else self.change.worst


Misfits = dict[str, dict[Change, list[Reader]]]
"""The readers of each misfit, by its field."""


@dataclass(frozen=True)
class Verdict:
    findings: tuple[Finding, ...]
    removable: tuple[str, ...]
    """Old versions without subscribers."""
    waiting: Mapping[str, tuple[Reader, ...]]
    """Old versions that have a successor, with their remaining subscribers."""
    unread: Mapping[str, tuple[str, ...]]
    """Fields that no consumer reads, by event type."""
    edited: tuple[str, ...] = ()
    """Golden examples that were changed or removed. They represent existing events, so neither is allowed."""

    @property
    def breaking(self) -> bool:
        return bool(self.edited) or any(finding.severity is BREAKING for finding in self.findings)


def judge(base: Snapshot, tree: Snapshot) -> Verdict:
    """Compares `tree` with `base`, for every pair that can meet while services are deployed one at a time."""
    findings: list[Finding] = []
    for event_type in sorted({*base.schemas, *tree.schemas}):
        findings += _event_findings(event_type, base, tree)
    for new in tree.schemas:
        family, version = split(new)
        old = f"{family}.v{version - 1}"
        if old in {*base.schemas, *tree.schemas} and tree.upcasts.get(old) != new:
            what = f"no upcaster converts {old} to {new}: consumers of {new} would lose older events"
            findings.append(Finding(new, Change("", "version", what, BREAKING, SAFE)))
    current = _readers_by_type(tree.readers)
    newest: dict[str, int] = {}
    for family, version in map(split, tree.schemas):
        newest[family] = max(newest.get(family, 0), version)
    superseded = sorted(name for name in tree.schemas if split(name)[1] < newest[split(name)[0]])
    waiting = {old: tuple(current.get(old, ())) for old in superseded}
    return Verdict(
        edited=tuple(sorted(path for path, text in base.golden.items() if tree.golden.get(path) != text)),
        findings=tuple(findings),
        removable=tuple(old for old, readers in waiting.items() if not readers),
        waiting={old: readers for old, readers in waiting.items() if readers},
        unread={
            name: unread for name, schema in tree.schemas.items() if (unread := _unread(schema, current.get(name, ())))
        },
    )


def _event_findings(event_type: str, base: Snapshot, tree: Snapshot) -> Iterator[Finding]:
    old, new = base.schemas.get(event_type), tree.schemas.get(event_type)
    here = _readers_by_type(tree.readers).get(event_type, [])
    there = _readers_by_type(base.readers).get(event_type, [])
    if new is None:
        family, version = split(event_type)
        readers = [*here, *_deployed_readers(there, here)]
        succeeded = any(split(name) > (family, version) and split(name)[0] == family for name in tree.schemas)
        if succeeded and not readers:
            yield Finding(event_type, Change("", "event", "deleted: it has a successor, and nobody subscribes to it"))
        else:
            yield Finding(event_type, Change("", "event", "deleted", BREAKING, BREAKING), _unique(readers))
        return
    by_field = _find_misfits(new, [*here, *(_deployed_readers(there, here) if old != new else ())])
    if old is None:
        yield Finding(event_type, Change("", "event", "added"))
    else:
        for change in _all_changes(event_type, old, base, tree):
            yield _change_finding(event_type, change, by_field, [*here, *there])
    for misfits_here in by_field.values():
        for misfit, readers in misfits_here.items():
            yield Finding(event_type, misfit, _unique(readers), by_consumer=True)
    if old is not None and old != new:
        yield from _older_producer_findings(event_type, old, here, new)


def _find_misfits(schema: Schema, readers: Iterable[Reader]) -> Misfits:
    by_field: Misfits = defaultdict(lambda: defaultdict(list))
    for reader in readers:
        for misfit in misfits(reader.schema, schema):
            by_field[misfit.field][misfit].append(reader)
    return by_field


def _all_changes(event_type: str, old: Schema, base: Snapshot, tree: Snapshot) -> list[Change]:
    new = tree.schemas[event_type]
    differences = changes(old, new)
    title, known = new.get("title"), {schema.get("title"): name for name, schema in base.schemas.items()}
    if title != old.get("title") and known.get(title, event_type) != event_type:
        what = f"the type now names {title}, which was {known[title]}: another fact"
        differences.insert(0, Change("", "meaning", what, BREAKING, BREAKING))
    return differences


def _change_finding(event_type: str, change: Change, by_field: Misfits, readers: list[Reader]) -> Finding:
    """The change with the readers that misfit at its field; removes their misfits, which the change covers."""
    breaks: list[Reader] = []
    if change.consumers is not SAFE or change.kind == "added":
        for misfit in list(by_field.get(change.field, ())):
            breaks += by_field[change.field].pop(misfit)
    read_by = [reader for reader in readers if change.field in fields(reader.schema)]
    return Finding(event_type, change, _unique(breaks), _unique(read_by))


def _older_producer_findings(event_type: str, old: Schema, here: list[Reader], new: Schema) -> Iterator[Finding]:
    """Misfits of the tree's consumers with events that the deployed producer still writes."""
    for reader in here:
        known = misfits(reader.schema, new)
        for misfit in misfits(reader.schema, old, deployed=True):
            if misfit not in known:
                what = f"{misfit.what} in events of the base revision"
                change = Change(misfit.field, misfit.kind, what, BREAKING, SAFE)
                yield Finding(event_type, change, (reader,), by_consumer=True)


def _deployed_readers(there: list[Reader], here: list[Reader]) -> Iterator[Reader]:
    """Readers of the base that differ from the tree's, each with the handler's line in the tree."""
    by_key = {reader.key: reader for reader in here}
    for reader in there:
        today = by_key.get(reader.key)
        if today is None or today.schema != reader.schema:
            yield replace(reader, line=today.line if today else reader.line, deployed=True)


def _unique(readers: Iterable[Reader]) -> tuple[Reader, ...]:
    """One reader per handler; the tree's takes precedence over the deployed one."""
    by_key: dict[tuple[str, str, str], Reader] = {}
    for reader in readers:
        if reader.key not in by_key or by_key[reader.key].deployed:
            by_key[reader.key] = reader
    return tuple(by_key[key] for key in sorted(by_key))


def split(event_type: str) -> tuple[str, int]:
    """`tasks.task.assigned.v2` is version 2 of `tasks.task.assigned`."""
    family, _, version = event_type.rpartition(".v")
    return family, int(version) if version.isdigit() else 0


def _unread(schema: Schema, readers: Iterable[Reader]) -> tuple[str, ...]:
    read = {path for reader in readers for path in fields(reader.schema)}
    nested = {path[:at] for path in read for at, mark in enumerate(path) if mark in ".[{"}
    # a field that is read as a dict is read with everything in it
    whole = tuple(f"{path}{mark}" for path in read - nested for mark in ".[{")
    return tuple(path for path in fields(schema) if path not in read and not path.startswith(whole))


def _readers_by_type(readers: Iterable[Reader]) -> dict[str, list[Reader]]:
    by_type: dict[str, list[Reader]] = {}
    for reader in readers:
        by_type.setdefault(reader.event_type, []).append(reader)
    return by_type

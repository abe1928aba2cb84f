"""The history of each event's schema: dated changes, kept in `contracts/history.json` by `generate`.

It is not read from git, because a clone may have one commit only, and a document must not depend on that.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.check.compare import changes
from contracts.check.shape import Schema
from contracts.check.verdict import Snapshot

FILE = "contracts/history.json"
Entry = dict[str, Any]
SchemaHistory = dict[str, list[Entry]]


@dataclass(frozen=True)
class Past:
    """The schemas and the history of the last commit."""

    schemas: Snapshot
    history: SchemaHistory


def read(root: Path) -> SchemaHistory:
    path = root / FILE
    history: SchemaHistory = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return history


def bring_up_to_date(history: SchemaHistory, past: Past, schemas: dict[str, Schema], today: str) -> SchemaHistory:
    """`history` with an entry for each schema that it does not describe. Uncommitted changes are one entry, however
    often it is generated again."""
    whole = {name: list(entries) for name, entries in history.items()}
    for name, schema in schemas.items():
        if is_current(whole.get(name, []), schema):
            continue
        entries = list(past.history.get(name, []))
        old = past.schemas.schemas.get(name)
        changed = [str(change) for change in changes(old, schema)] if entries and old else ["published"]
        whole[name] = [*entries, {"date": today, "changes": changed or ["rewritten"], "schema": digest(schema)}]
    for name in whole.keys() - schemas.keys():
        if "retired" not in whole[name][-1]["changes"]:
            whole[name].append({"date": today, "changes": ["retired"], "schema": ""})
    return dict(sorted(whole.items()))


def is_current(entries: list[Entry], schema: Schema) -> bool:
    return bool(entries) and bool(entries[-1]["schema"] == digest(schema))


def digest(schema: Schema) -> str:
    return hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()[:16]


def render(history: SchemaHistory) -> str:
    return json.dumps(history, indent=2, ensure_ascii=False) + "\n"

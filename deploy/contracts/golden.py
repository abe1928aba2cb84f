"""Golden events: for each version, examples as they were on the bus, committed once and never edited.

Every consumer must be able to handle them for ever. A contract that grows gets further examples beside the old ones.
"""

import json
from pathlib import Path
from typing import Any

from contracts.check.compare import fields
from contracts.check.samples import FLAVOURS, Flavour, sample
from contracts.check.shape import Schema
from contracts.event import SOURCE_PREFIX, ContractError, Envelope
from deploy.contracts.declarations import GOLDEN

PERSON = "user_ada"


def envelope(schema: Schema, data: dict[str, Any], flavour: Flavour) -> dict[str, Any]:
    """The `detail` of the bus event that carries `data`."""
    event_type = schema["x-type"]
    owner = SOURCE_PREFIX + event_type.split(".", 1)[0]
    more = {"causationid": "0", "clientip": "2001:db8::1", "useragent": "example/1.0"} if flavour != "minimal" else {}
    whole = Envelope(
        id=f"golden-{flavour}",
        source=owner,
        type=event_type,
        time="2026-11-21T09:00:00Z",
        subject=str(data[schema["x-subject"]]),
        dataschema=f"contracts/schemas/{event_type}.json",
        orgid="org_acme",
        actor=PERSON,
        aggregateversion=1,
        correlationid="golden",
        data=data,
        **more,
    )
    return whole.model_dump(mode="json", exclude_none=True)


def examples(schema: Schema) -> dict[Flavour, dict[str, Any]]:
    """All flavours of one event, with their envelopes."""
    return {flavour: envelope(schema, sample(schema, flavour), flavour) for flavour in FLAVOURS}


def missing(schemas: dict[str, Schema], root: Path) -> dict[Path, str]:
    """The files to add: an event's first three, and a fuller one if no example has one of the fields."""
    files: dict[Path, str] = {}
    for event_type, schema in schemas.items():
        folder = root / GOLDEN / event_type
        present = {path.stem for path in folder.glob("*.json")}
        for flavour in FLAVOURS:
            if flavour not in present:
                files[folder / f"{flavour}.json"] = _render(examples(schema)[flavour])
        in_examples = {name for path in folder.glob("*.json") for name in read(path)["data"]}
        top_level = {path for path in fields(schema) if not any(mark in path for mark in ".[{")}
        if present and top_level - in_examples:
            number = 2 + sum(name.startswith("full-") for name in present)
            files[folder / f"full-{number}.json"] = _render(examples(schema)["full"])
    return files


def read(path: Path) -> dict[str, Any]:
    """One golden event. Raises ContractError if the file is not one."""
    try:
        event = json.loads(path.read_bytes())
        Envelope.parse(event)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise ContractError(f"{path} is not an event ({reason}); restore it: git checkout -- {path}") from None
    return dict(event)


def _render(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"

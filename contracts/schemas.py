"""`python -m contracts.schemas [--check]`: the JSON Schema of every event version, committed so that a diff shows."""

import json
import sys
from pathlib import Path
from typing import Any

from contracts.catalog import load_all
from contracts.event import Event, Secret

FOLDER = Path(__file__).parent / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The schema of the event's `data`."""
    schema = event.model_json_schema()
    for name in event.secret_fields():
        schema["properties"][name][Secret.schema_key] = True
    return {
        "$schema": DIALECT,
        "$id": f"https://tenfold.example/{event.schema_path()}",
        **schema,
        "x-type": event.event_type,
        "x-subject": event.subject_field,
    }


def rendered() -> dict[Path, str]:
    return {
        FOLDER / f"{name}.json": json.dumps(schema_of(event), indent=2, ensure_ascii=False) + "\n"
        for name, event in load_all().items()
    }


def stale() -> list[str]:
    """What the committed schemas lack, have too much, or say otherwise."""
    wanted = rendered()
    present = set(FOLDER.glob("*.json"))
    lines = [f"{path.name} belongs to no event" for path in sorted(present - wanted.keys())]
    lines += [
        f"{path.name} is not what the contract says"
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    return lines


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        if lines := stale():
            sys.stderr.write("\n".join([*lines, "Run `make generate` and commit contracts/schemas.", ""]))
        return 1 if lines else 0
    wanted = rendered()
    FOLDER.mkdir(exist_ok=True)
    for path in set(FOLDER.glob("*.json")) - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m contracts.schemas [--check]`: the JSON Schema of every event version, committed so that a diff shows."""

import ast
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from contracts.catalog import load_all
from contracts.event import Event, Secret

FOLDER = Path(__file__).parent / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Described(GenerateJsonSchema):
    """With the texts beneath the fields of each model. Read here rather than by pydantic's `use_attribute_docstrings`,
    which reads the sources anew whenever a process defines the classes: a quarter of a cold start."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        made, texts = super().model_schema(schema), texts_of(schema["cls"])
        for name, field in made.get("properties", {}).items():
            if name in texts:
                field.setdefault("description", texts[name])
        return made


def texts_of(model: type) -> dict[str, str]:
    """The docstrings of a model's fields, those of the models that it is derived from included."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if issubclass(cls, BaseModel) and cls is not BaseModel:
            found |= dict(_texts_in(cls))
    return found


def _texts_in(cls: type) -> Iterator[tuple[str, str]]:
    try:
        source = inspect.getsource(cls)
    except OSError:  # a class that was made by code: nobody wrote texts for it
        return
    for definition in ast.parse(textwrap.dedent(source)).body:
        for field, text in pairwise(getattr(definition, "body", ())):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                    yield name, inspect.cleandoc(said)


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The schema of the event's `data`."""
    schema = event.model_json_schema(schema_generator=Described)
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

"""`python -m contracts.schemas [--check]`: the JSON Schemas of all event versions, committed to show diffs."""

import ast
import inspect
import json
import sys
import textwrap
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


class SchemaWithDescriptions(GenerateJsonSchema):
    """A schema generator that adds the docstrings of fields.

    They are read here and not by pydantic's `use_attribute_docstrings`, which reads the sources again whenever a
    process defines the classes: a quarter of a cold start.
    """

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        generated, docstrings = super().model_schema(schema), field_docstrings(schema["cls"])
        for name, field in generated.get("properties", {}).items():
            if name in docstrings:
                field.setdefault("description", docstrings[name])
        return generated


def field_docstrings(model: type) -> dict[str, str]:
    """The docstrings of a model's fields, including inherited ones."""
    docstrings: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if not issubclass(cls, BaseModel) or cls is BaseModel:
            continue
        try:
            source = inspect.getsource(cls)
        except OSError:  # a class that was made by code has no docstrings of fields
            continue
        for definition in ast.parse(textwrap.dedent(source)).body:
            for field, text in pairwise(getattr(definition, "body", ())):
                match field, text:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(docstring))):
                        docstrings[name] = inspect.cleandoc(docstring)
    return docstrings


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema of the event's `data`."""
    schema = event.model_json_schema(schema_generator=SchemaWithDescriptions)
    for name in event.secret_fields():
        schema["properties"][name][Secret.schema_key] = True
    return {
        "$schema": DIALECT,
        "$id": f"https://tenfold.example/{event.schema_path()}",
        **schema,
        "x-type": event.event_type,
        "x-subject": event.subject_field,
    }


def render_all() -> dict[Path, str]:
    """The text of every schema file, by its path."""
    return {
        FOLDER / f"{name}.json": json.dumps(schema_of(event), indent=2, ensure_ascii=False) + "\n"
        for name, event in load_all().items()
    }


def stale() -> list[str]:
    """The committed schemas that are missing, superfluous or different, one line each."""
    wanted = render_all()
    present = set(FOLDER.glob("*.json"))
    lines = [f"{path.name} belongs to no event" for path in sorted(present - wanted.keys())]
    lines += [
        f"{path.name} differs from the contract"
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    return lines


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        if lines := stale():
            sys.stderr.write("\n".join([*lines, "Run `make generate` and commit contracts/schemas.", ""]))
        return 1 if lines else 0
    wanted = render_all()
    FOLDER.mkdir(exist_ok=True)
    for path in set(FOLDER.glob("*.json")) - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

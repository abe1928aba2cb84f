"""The generated documents are up to date, valid by the specification, and correct."""

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

from chassis.declare.subscription import ExternalSubscription
from contracts.check.shape import Schema, resolve
from contracts.schemas import FOLDER
from deploy.contracts import asyncapi, base, generated
from deploy.contracts.declarations import Declarations, load_declarations
from tests.contracts.scratch import ROOT, Checkout
from tests.contracts.specification import specification


@cache
def tree() -> Declarations:
    return load_declarations(ROOT)


def read_committed(name: str) -> Schema:
    document: Schema = json.loads((ROOT / asyncapi.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return document


DOCUMENTS = sorted(path.stem for path in (ROOT / asyncapi.FOLDER).glob("*.json"))


def test_all_generated_files_are_up_to_date() -> None:
    assert generated.stale(tree(), ROOT) == []


def test_there_is_a_document_for_each_service_and_for_the_whole() -> None:
    assert set(DOCUMENTS) == {asyncapi.WHOLE, *(one.name for one in tree().services)}


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft7Validator:
    schema = specification()
    if schema is None:
        pytest.skip("AsyncAPI's schema is not here, and cannot be fetched without npm and its registry")
    return jsonschema.Draft7Validator(schema)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid_by_the_specification(name: str, validator: jsonschema.Draft7Validator) -> None:
    assert [error.message for error in validator.iter_errors(read_committed(name))] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("asyncapi",), "2.6.0"),
        (("info", "title"), None),
        (("operations", "notify.assignments.tasks.task.assigned.v1", "action"), "listen"),
        (("channels", "notify.assignments", "address"), 7),
        (("components", "messages", "tasks.task.assigned.v1", "payload"), "text"),
    ],
)
def test_the_validator_finds_a_planted_fault(
    path: tuple[str, ...], value: object, validator: jsonschema.Draft7Validator
) -> None:
    document: Any = copy.deepcopy(read_committed("notify"))
    place = document
    for part in path[:-1]:
        place = place[part]
    assert path[-1] in place
    place[path[-1]] = value
    assert list(validator.iter_errors(document))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_parses_as_asyncapi_and_every_reference_exists(name: str) -> None:
    document = read_committed(name)
    ApplicationSchema.model_validate(document)
    for reference in references(document):
        resolve(reference, document)
    for operation in document["operations"].values():
        channel = resolve(operation["channel"], document)
        messages = [message["$ref"].rsplit("/", 1)[1] for message in operation["messages"]]
        assert messages
        assert set(messages) <= channel["messages"].keys()


def references(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield {"$ref": part["$ref"]}
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for one in part:
            yield from references(one)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_examples_match_the_schemas_beside_them(name: str) -> None:
    document = read_committed(name)
    found = [message for message in document["components"]["messages"].values() if "examples" in message]
    assert found or not document["operations"]
    for message in found:
        whole = {**message["payload"], "components": document["components"]}
        for example in message["examples"]:
            jsonschema.validate(example["payload"], whole)


def test_the_consumers_of_each_field_can_be_read_back_from_the_documents() -> None:
    """The next revision compares with them. Uncommitted ones count, too, because a new service has only those."""
    documents = {str(path.relative_to(ROOT)): path.read_bytes() for path in (ROOT / base.DOCUMENTS).glob("*.json")}
    said = {(one.key, one.subscription, one.file) for one in base.parse(documents).readers}
    assert {(one.key, one.subscription, one.file) for one in tree().snapshot.readers} == said


def test_the_page_names_each_event_each_queue_and_each_field() -> None:
    page = (ROOT / "docs/events.md").read_text()
    for event_type, schema in tree().snapshot.schemas.items():
        assert f"\n### {event_type}\n" in page
        entry = page.split(f"\n### {event_type}\n")[1].split("\n### ")[0]
        for field in schema["properties"]:
            assert f"\n| `{field}` |" in entry
        assert "```json" in entry
        assert "History:\n\n- 20" in entry
    for name, subscriptions in tree().subscriptions.items():
        for one in subscriptions:
            assert f"`tenfold-<stage>-{name}-{one.name}`" in page
            assert f"{name}_{one.name}[/{one.name}/] --> {name}" in page
            if isinstance(one, ExternalSubscription):
                assert f"| {one.source}: {one.detail_type} |" in page


def test_each_schema_has_an_address_of_its_own() -> None:
    schemas = [json.loads(path.read_text()) for path in FOLDER.glob("*.json")]
    assert len({schema["$id"] for schema in schemas}) == len(schemas) >= 25


@pytest.mark.slow
def test_a_change_makes_them_stale_and_generate_updates_them(checkout: Checkout) -> None:
    assert checkout.run("generate", "--check").returncode == 0
    checkout.edit("contracts/tasks/v1.py", "    text: str\n", "    text: str\n    colour: str | None = None\n")
    done = checkout.run("generate", "--check")
    assert done.returncode == 1
    for stale in (
        "contracts/golden/tasks.comment.added.v1/full-2.json is missing",
        "contracts/history.json lacks the last change of tasks.comment.added.v1",
        "contracts/schemas/tasks.comment.added.v1.json is stale",
        "docs/asyncapi/tasks.json is stale",
        "docs/asyncapi/tenfold.json is stale",
        "docs/events.md is stale",
        "Run `make generate`",
    ):
        assert stale in done.stderr
    assert checkout.run("generate").returncode == 0
    assert checkout.run("generate", "--check").returncode == 0
    assert checkout.run("generate").stdout == ""
    assert "field colour added" in (checkout.folder / "docs/events.md").read_text()
    checkout.edit("contracts/tasks/v1.py", "    colour: str | None = None\n", "    colours: list[str] | None = None\n")
    (checkout.folder / "contracts/golden/tasks.comment.added.v1/full-2.json").unlink()
    assert checkout.run("generate").returncode == 0
    page = (checkout.folder / "docs/events.md").read_text()
    assert "field colours added" in page
    assert "field colour added" not in page, "a change that was never committed is not history"

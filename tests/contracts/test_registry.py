"""The schema registry gets the changed schemas, in the dialect that it accepts."""

import json
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import boto3
import jsonschema
import pytest
from botocore.exceptions import ClientError
from pydantic import Field

from contracts.catalog import load_all
from contracts.check.samples import sample
from contracts.schemas import schema_of
from deploy.contracts import golden
from deploy.contracts.declarations import GOLDEN
from deploy.contracts.registry import content_of, draft4, upload
from deploy.errors import DeployError
from tests.contracts.planted import event
from tests.contracts.scratch import ROOT

SCHEMAS = {name: schema_of(one) for name, one in load_all().items()}
MODEL = boto3.client("schemas", region_name="us-east-1").meta.service_model


class Two(StrEnum):
    A = "a"
    B = "b"


class Registry:
    """The relevant calls, with the parameters of the service's own model."""

    def __init__(self, *, exists: bool = True, refuses: str = "") -> None:
        self.exists, self.refuses = exists, refuses
        self.contents: dict[str, str] = {}
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        operation = MODEL.operation_model("".join(part.title() for part in name.split("_")))

        def call(**parameters: Any) -> dict[str, Any]:
            assert parameters.keys() <= operation.input_shape.members.keys()
            assert set(operation.input_shape.required_members) <= parameters.keys()
            self.calls.append(name)
            if self.refuses == name:
                raise failure("ForbiddenException")
            return self.answer(name, parameters)

        return call

    def answer(self, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if name == "create_registry":
            self.exists = True
        if name == "describe_registry" and not self.exists:
            raise failure("NotFoundException")
        if name == "describe_schema":
            if parameters["SchemaName"] not in self.contents:
                raise failure("NotFoundException")
            return {"Content": self.contents[parameters["SchemaName"]]}
        if name in ("create_schema", "update_schema"):
            assert len(parameters["Description"]) <= 256
            assert len(parameters["Content"]) <= 100_000
            self.contents[parameters["SchemaName"]] = parameters["Content"]
        return {}


def failure(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


def test_only_changed_schemas_are_uploaded() -> None:
    registry = Registry()
    assert upload(registry, "tenfold-dev", SCHEMAS, create=False) == list(SCHEMAS)
    assert registry.calls.count("create_schema") == len(SCHEMAS) >= 25
    assert upload(registry, "tenfold-dev", SCHEMAS, create=False) == []
    changed = {**SCHEMAS["tasks.task.assigned.v1"], "required": []}
    assert upload(registry, "tenfold-dev", {**SCHEMAS, "tasks.task.assigned.v1": changed}, create=False) == [
        "tasks.task.assigned.v1"
    ]
    assert registry.calls.count("update_schema") == 1


def test_a_target_without_a_registry_is_left_alone_or_gets_one() -> None:
    registry = Registry(exists=False)
    assert upload(registry, "tenfold-dev", SCHEMAS, create=False) is None
    assert registry.calls == ["describe_registry"]
    assert upload(registry, "tenfold-dev", SCHEMAS, create=True) == list(SCHEMAS)
    assert registry.exists


@pytest.mark.parametrize("refused", ["describe_registry", "describe_schema", "create_schema"])
def test_a_refusal_is_one_line(refused: str) -> None:
    with pytest.raises(DeployError, match="the schema registry tenfold-dev cannot be brought up to date"):
        upload(Registry(refuses=refused), "tenfold-dev", SCHEMAS, create=True)


def test_uploaded_schemas_are_draft_4_and_accept_every_golden_event() -> None:
    for path in sorted((ROOT / GOLDEN).rglob("*.json")):
        one = golden.read(path)
        content = json.loads(content_of(one["type"], SCHEMAS[one["type"]]))
        jsonschema.Draft4Validator.check_schema(content)
        body = {"source": one["source"], "detail-type": one["type"], "detail": one}
        assert list(jsonschema.Draft4Validator(content).iter_errors(body)) == [], path
        assert list(jsonschema.Draft4Validator(content).iter_errors({**body, "source": "tenfold.other"}))


def test_later_drafts_are_converted_to_draft_4() -> None:
    schema = event(
        id=str, n=Annotated[int, Field(gt=3, lt=9)], price=Decimal, pair=tuple[str, int], by=dict[Two, int], two=Two
    )
    content = json.loads(content_of("shop.order.placed.v1", schema))
    jsonschema.Draft4Validator.check_schema(content)
    data = {"$ref": "#/definitions/Data", "definitions": content["definitions"]}
    good = sample(schema, "full")
    jsonschema.Draft4Validator(data).validate(good)
    for field, bad in (("n", 3), ("n", 9), ("two", "c"), ("pair", [1, "x"])):
        assert list(jsonschema.Draft4Validator(data).iter_errors({**good, field: bad})), field
    assert draft4({"const": "x"}) == {"enum": ["x"]}

"""Uploads the contracts to EventBridge's schema registry, for people who look events up in the AWS console."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from contracts.catalog import load_all
from contracts.check.shape import Schema
from contracts.event import SOURCE_PREFIX
from contracts.schemas import schema_of
from deploy.aws import Aws
from deploy.errors import DeployError

PARALLEL = 8
DRAFT = "http://json-schema.org/draft-04/schema#"
ABSENT = "NotFoundException"
NO_SUCH_SERVICE = ("UnknownOperationException", "UnknownOperation", "InvalidAction", "NotImplemented", "501", "404")


def upload(client: Any, registry: str, schemas: Mapping[str, Schema], *, create: bool) -> list[str] | None:
    """Bring the registry's schemas up to date. Returns the names that changed; None if there is no registry.

    `client` is boto3's `schemas` client. Old versions stay in the registry's own history, and so do schemas of types
    that are gone. With `create` a missing registry is made. Raises DeployError if AWS refuses.
    """
    try:
        try:
            client.describe_registry(RegistryName=registry)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if not create and code in (ABSENT, *NO_SUCH_SERVICE):
                return None
            if code != ABSENT:
                raise
            client.create_registry(RegistryName=registry, Description="The events of Tenfold, by type.")
        with ThreadPoolExecutor(PARALLEL) as pool:
            changed = pool.map(lambda item: _put(client, registry, *item), sorted(schemas.items()))
            return [name for name in changed if name]
    except (ClientError, BotoCoreError) as error:
        raise DeployError(f"the schema registry {registry} cannot be brought up to date: {error}") from error


def content_of(event_type: str, schema: Schema) -> str:
    """The schema of a whole EventBridge event, in the dialect of JSON Schema that the registry takes (draft 4)."""
    definitions = {name: draft4(part) for name, part in schema.get("$defs", {}).items()}
    data = draft4({key: part for key, part in schema.items() if key not in ("$defs", "$schema", "$id")})
    source = SOURCE_PREFIX + event_type.split(".", 1)[0]
    detail = {
        "type": "object",
        "required": ["id", "source", "type", "time", "orgid", "data"],
        "properties": {"type": {"enum": [event_type]}, "data": {"$ref": "#/definitions/Data"}},
    }
    whole = {
        "$schema": DRAFT,
        "title": schema["title"],
        "type": "object",
        "required": ["source", "detail-type", "detail"],
        "properties": {"source": {"enum": [source]}, "detail-type": {"enum": [event_type]}, "detail": detail},
        "definitions": {**definitions, "Data": data},
    }
    return json.dumps(whole, sort_keys=True, ensure_ascii=False)


def draft4(part: Any) -> Any:
    """Translate a schema of a later draft; what draft 4 cannot express (the names of keys) is left out."""
    if isinstance(part, list):
        return [draft4(each) for each in part]
    if not isinstance(part, dict):
        return part
    schema = {key: draft4(value) for key, value in part.items() if key not in ("const", "propertyNames", "prefixItems")}
    if "const" in part:
        schema["enum"] = [part["const"]]
    if "prefixItems" in part:
        schema["items"] = draft4(part["prefixItems"])
    if isinstance(schema.get("$ref"), str):
        schema["$ref"] = schema["$ref"].replace("#/$defs/", "#/definitions/")
    for exclusive, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(exclusive), int | float) and not isinstance(schema[exclusive], bool):
            schema[limit], schema[exclusive] = schema[exclusive], True
    return schema


def _put(client: Any, registry: str, event_type: str, schema: Schema) -> str | None:
    content = content_of(event_type, schema)
    words = " ".join(schema.get("description", "").split())[:256]
    names = {"RegistryName": registry, "SchemaName": event_type}
    try:
        present = client.describe_schema(**names)["Content"]
    except ClientError as error:
        if error.response["Error"]["Code"] != ABSENT:
            raise
        client.create_schema(**names, Type="JSONSchemaDraft4", Content=content, Description=words)
        return event_type
    if json.loads(present) == json.loads(content):
        return None
    client.update_schema(**names, Type="JSONSchemaDraft4", Content=content, Description=words)
    return event_type


def bring_up_to_date(aws: Aws, registry: str, *, create: bool, progress: Callable[[str], None]) -> None:
    """`upload` every contract, as part of a deployment. Raises DeployError."""
    schemas = {name: schema_of(event) for name, event in load_all().items()}
    changed = upload(aws.client("schemas"), registry, schemas, create=create)
    if changed:
        progress(f"uploaded {len(changed)} schemas to the registry {registry}")

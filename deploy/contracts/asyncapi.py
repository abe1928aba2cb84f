"""AsyncAPI 3 documents from the declarations: one per service, and one for all events.

A service's document also says exactly which fields it reads of each event (`x-reads`): by it, a later revision knows
what the consumers of this one depend on.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chassis.declare.resource_names import Names
from chassis.declare.service import Service
from chassis.declare.subscription import AnySubscription, ExternalSubscription, Subscription
from contracts.check.shape import Schema
from contracts.event import REGISTRY, Envelope
from deploy.contracts import golden
from deploy.contracts.declarations import Declarations, handler_name, location_of

FOLDER = "docs/asyncapi"
WHOLE = "tenfold"
NAMES = Names("{stage}")
SERVERS = {
    "bus": {
        "host": "events.{region}.amazonaws.com",
        "pathname": "/",
        "protocol": "eventbridge",
        "description": "The stage's event bus: what is published, by its detail type.",
        "variables": {"region": {"description": "The AWS region of the stage."}},
    },
    "queues": {
        "host": "sqs.{region}.amazonaws.com",
        "pathname": "/",
        "protocol": "sqs",
        "description": "One queue for each subscription, filled by a rule of the bus.",
        "variables": {"region": {"description": "The AWS region of the stage."}},
    },
}
STAGE = {"stage": {"description": "The stage, such as dev or prod."}}


def documents(tree: Declarations) -> dict[str, Schema]:
    """Every document by its name: the services', and `tenfold`."""
    of_services = {service.name: _document([service], tree, service.name) for service in tree.services}
    return of_services | {WHOLE: _document(tree.services, tree, WHOLE)}


def render_documents(tree: Declarations) -> dict[Path, str]:
    """The files of all documents, by their paths from the root of the repository."""
    return {
        Path(FOLDER) / f"{name}.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for name, document in documents(tree).items()
    }


def _document(services: Iterable[Service], tree: Declarations, name: str) -> Schema:
    document = _Document(tree)
    for service in services:
        for event in sorted(service.publishes, key=lambda event: event.event_type):
            document.publish(service.name, event.event_type)
        for subscription in sorted(tree.subscriptions[service.name], key=lambda subscription: subscription.name):
            document.subscribe(service.name, subscription)
    return document.whole(name)


class _Document:
    def __init__(self, tree: Declarations) -> None:
        self._schemas = tree.snapshot.schemas
        self._channels: Schema = {}
        self._operations: Schema = {}
        self._messages: Schema = {}
        self._components: Schema = {}

    def whole(self, name: str) -> Schema:
        of_one_service = name != WHOLE
        title = f"Tenfold: {name}" if of_one_service else "Tenfold: all events"
        about = "What every service publishes and consumes."
        if of_one_service:
            about = f"What {name} publishes, and what it consumes."
        envelope = Envelope.model_json_schema()
        return {
            "asyncapi": "3.0.0",
            "info": {"title": title, "version": "1.0.0", "description": f"{about} Generated; do not edit."},
            "defaultContentType": "application/json",
            "servers": SERVERS,
            "channels": dict(sorted(self._channels.items())),
            "operations": dict(sorted(self._operations.items())),
            "components": {
                "messages": dict(sorted(self._messages.items())),
                "schemas": dict(sorted({**self._components, "Envelope": envelope}.items())),
            },
            **({"x-service": name} if of_one_service else {}),
        }

    def publish(self, service: str, event_type: str) -> None:
        channel = {"address": event_type, "servers": [_ref("servers", "bus")], "title": event_type, "messages": {}}
        self._operations[f"{service}.publish.{event_type}"] = {
            "action": "send",
            "channel": _ref("channels", event_type),
            "summary": _first_sentence(REGISTRY[event_type].__doc__),
            "messages": [self._message(channel, event_type, event_type)],
        }
        self._channels[event_type] = channel

    def subscribe(self, service: str, subscription: AnySubscription) -> None:
        name = f"{service}.{subscription.name}"
        channel = self._channels[name] = {
            "address": NAMES.queue(service, subscription.name),
            "title": f"The queue {subscription.name} of {service}",
            "parameters": STAGE,
            "servers": [_ref("servers", "queues")],
            "messages": {},
            "x-rule": subscription.pattern,
        }
        if not isinstance(subscription, ExternalSubscription):
            self._receive_events(subscription, name, channel)
            return
        key = f"{subscription.source}.{subscription.detail_type}".replace(" ", "")
        self._messages[key] = {
            "name": subscription.detail_type,
            "summary": f"An event of {subscription.source} itself.",
            "payload": {"type": "object"},
        }
        channel["messages"][key] = _ref("components", "messages", key)
        self._operations[name] = {
            "action": "receive",
            "channel": _ref("channels", name),
            "messages": [_ref("channels", name, "messages", key)],
            "x-subscription": subscription.name,
        }

    def _receive_events(self, subscription: Subscription, name: str, channel: Schema) -> None:
        for event_type, (model, handler) in sorted(subscription.handlers.items()):
            reads = f"{name}.reads.{event_type}"
            self._add_schema(reads, model.model_json_schema())
            self._operations[f"{name}.{event_type}"] = {
                "action": "receive",
                "channel": _ref("channels", name),
                "messages": [self._message(channel, name, event_type)],
                "x-subscription": subscription.name,
                "x-event": event_type,
                "x-handler": {"file": location_of(handler)[0], "function": handler_name(handler)},
                "x-reads": _ref("components", "schemas", reads),
            }
        if subscription.any_handler is not None:
            handler = subscription.any_handler
            self._operations[name] = {
                "action": "receive",
                "channel": _ref("channels", name),
                "messages": [self._message(channel, name, event_type) for event_type in self._schemas],
                "x-subscription": subscription.name,
                "x-handler": {"file": location_of(handler)[0], "function": handler_name(handler)},
            }

    def _message(self, channel: Schema, channel_name: str, event_type: str) -> Schema:
        """Put the event's message into the channel. Returns the reference to it for an operation."""
        if event_type not in self._messages:
            schema = self._schemas[event_type]
            self._add_schema(event_type, schema)
            typed = {"type": {"const": event_type}, "data": _ref("components", "schemas", event_type)}
            self._messages[event_type] = {
                "name": event_type,
                "title": schema["title"],
                "summary": _first_sentence(schema.get("description")),
                "contentType": "application/json",
                "payload": {"allOf": [_ref("components", "schemas", "Envelope"), {"properties": typed}]},
                "examples": [{"name": "full", "payload": golden.examples(schema)["full"]}],
            }
        channel["messages"][event_type] = _ref("components", "messages", event_type)
        return _ref("channels", channel_name, "messages", event_type)

    def _add_schema(self, name: str, schema: Schema) -> None:
        """Add a schema. Its definitions become components, too: references begin at the root of the document."""
        schema = dict(schema)
        for inner, definition in schema.pop("$defs", {}).items():
            self._components[f"{name}.{inner}"] = _with_component_references(definition, name)
        self._components[name] = {
            key: _with_component_references(part, name) for key, part in schema.items() if key not in {"$schema", "$id"}
        }


def _with_component_references(part: Any, name: str) -> Any:
    if isinstance(part, list):
        return [_with_component_references(each, name) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        key: value.replace("#/$defs/", f"#/components/schemas/{name}.")
        if key == "$ref"
        else _with_component_references(value, name)
        for key, value in part.items()
    }


def _ref(*path: str) -> Schema:
    return {"$ref": "#/" + "/".join(path)}


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split()).split(". ")[0].removesuffix(".") + "."

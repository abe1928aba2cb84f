"""Secrets appear nowhere: not in log lines, not in traces, not on the bus, not in the answer to a bad request.

Every route gets its own request and invalid variants of it; everything that they leave behind is searched for the
secrets that they sent.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from contracts.event import REGISTRY, Envelope
from deploy.services import service_names
from verification.isolation.requests import Template, routes_of, templates_of
from verification.isolation.samples import own, victims
from verification.isolation.seeds import world_of
from verification.isolation.world import Outcome, Request, World

SECRET_FIELDS = frozenset({"password", "secret", "token", "refresh_token", "invitation_token"})
"""Names of fields of requests that are secret. A test below finds names that are missing here."""
SUSPICIOUS = ("password", "secret", "token", "credential_value", "private")


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("chassis.telemetry.tracing._tracer", provider.get_tracer("test"))
    monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: provider)
    return exporter


def secrets_in(request: Request, token: str | None) -> set[str]:
    values = set(_secret_values(request.body))
    return values if token is None else {*values, token.rpartition(".")[2]}


def _secret_values(body: Any) -> Iterator[str]:
    if isinstance(body, list):
        for each in body:
            yield from _secret_values(each)
    elif isinstance(body, dict):
        for name, value in body.items():
            if name in SECRET_FIELDS and isinstance(value, str) and value:
                yield value
            yield from _secret_values(value)


def variants(request: Request) -> Iterator[Request]:
    """The request itself, and invalid ones: with an additional field, each field of another type, and truncated."""
    yield request
    if not isinstance(request.body, dict):
        return
    yield _with_body(request, {**request.body, "unknown": 1})
    for name in request.body:
        yield _with_body(request, {**request.body, name: {"nested": request.body[name]}})
        yield _with_body(request, {each: value for each, value in request.body.items() if each != name})
    yield _with_body(request, json.dumps(request.body)[:-3])


def _with_body(request: Request, body: Any) -> Request:
    changed = copy.copy(request)
    changed.body = body
    return changed


def left_behind(world: World, outcome: Outcome, spans: InMemorySpanExporter) -> Iterator[tuple[str, str]]:
    """Everything that others than the caller may see of a request; an answer only if it is a refusal."""
    yield "the log", outcome.logs
    yield "the trace", "\n".join(span.to_json() for span in spans.get_finished_spans())
    for envelope in world.sut.bus.envelopes:
        yield f"the event {envelope.type}", json.dumps(_open_fields(envelope))
    if outcome.status >= 400:
        yield "the answer", outcome.body + json.dumps(dict(outcome.headers))


def _open_fields(envelope: Envelope) -> dict[str, Any]:
    """An event without the fields that its contract marks as secret, which one consumer needs."""
    secret = REGISTRY[envelope.type].secret_fields()
    open_data = {name: value for name, value in envelope.data.items() if name not in secret}
    return envelope.model_dump(mode="json") | {"data": open_data}


async def leaks(world: World, template: Template, spans: InMemorySpanExporter) -> list[str]:
    route, result = template.route, []
    for request in variants(template.fill(own if route.access == "public" else victims)):
        world.restore()
        spans.clear()
        holder = world.holders.get(route.id, world.vera)
        token = None if route.access == "public" else world.token(holder.claims(world.victim_org))
        outcome = await world.send(request, token)
        await world.sut.outbox.flush()
        for where, text in left_behind(world, outcome, spans):
            result += [
                f"{route.name} ({outcome.status}): {where}" for each in secrets_in(request, token) if each in text
            ]
    return result


@pytest.mark.parametrize("service", service_names())
async def test_no_secret_is_repeated(service: str, spans: InMemorySpanExporter) -> None:
    world = await world_of(service)
    searched = 0
    for route in routes_of(world):
        for template in templates_of(world, route):
            searched += 1
            assert await leaks(world, template, spans) == []
    assert searched
    assert spans.get_finished_spans(), "nothing was traced, so nothing was searched"


@pytest.mark.parametrize("service", service_names())
async def test_fields_named_like_secrets_are_listed_as_secrets(service: str) -> None:
    world = await world_of(service)
    for name, schema in world.app.openapi().get("components", {}).get("schemas", {}).items():
        if name.endswith(("View", "Session", "Page")):
            continue
        for field in schema.get("properties", {}):
            if any(word in field for word in SUSPICIOUS):
                assert field in SECRET_FIELDS | {"access_token"}, f"{service}: {name}.{field}"


async def test_a_planted_leak_is_found(spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    def repeat(errors: Any) -> list[dict[str, str]]:
        return [{"field": "body", "message": str(error.get("input"))} for error in errors]

    monkeypatch.setattr("chassis.http.problems.field_errors", repeat)
    world = await world_of("identity")
    routes = {route.id: route for route in routes_of(world)}
    [template] = templates_of(world, routes["sign_in"])
    assert any("the answer" in line for line in await leaks(world, template, spans))

from collections.abc import AsyncIterator, Iterator, MutableMapping
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from chassis.storage.table import Table
from chassis.testing.memory import MemoryTable
from deploy.embedded.emulator import Emulator
from tests.chassis.backends import ministack_table, moto_table


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The embedded AWS on a free port, for all tests of this folder."""
    with Emulator(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture(params=["memory", "moto", pytest.param("ministack", marks=pytest.mark.ministack)])
async def table(request: pytest.FixtureRequest) -> AsyncIterator[Table]:
    """An empty table, on each backend."""
    if request.param == "memory":
        yield MemoryTable()
    elif request.param == "moto":
        async with moto_table() as table:
            yield table
    else:
        async with ministack_table(request.getfixturevalue("emulator").endpoint_url) as table:
            yield table


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """Log entries as data: printing a crash with all its variables takes seconds."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Tracing for one test only: OpenTelemetry's own provider cannot be reset."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("chassis.telemetry.tracing._tracer", provider.get_tracer("test"))
    monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: provider)
    return exporter

"""OpenTelemetry spans in SQLite: a receiver that never waits for the disk, and queries."""

import contextlib
import json
import queue
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # it has no stubs
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

MAX_BYTES = 16 * 1024 * 1024
MAX_WAITING = 1000
KEEP_SECONDS = 7 * 24 * 3600
KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
SCHEMA = """
CREATE TABLE IF NOT EXISTS spans (
    trace_id TEXT, span_id TEXT, parent_id TEXT, name TEXT, kind TEXT, service TEXT, start_ns INTEGER, end_ns INTEGER,
    failed INTEGER, attributes TEXT, links TEXT, PRIMARY KEY (trace_id, span_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS spans_by_name ON spans (name, start_ns);
"""
PLAIN = ("trace_id", "span_id", "parent_id", "name", "kind", "service", "start_ns", "end_ns", "failed")
COLUMNS = ", ".join((*PLAIN, "attributes", "links"))


@dataclass(frozen=True)
class Span:
    """One finished span. Ids are lower-case hex; `parent_id` is None at the root; times are epoch nanoseconds;
    `links` are (trace id, span id)."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: str
    service: str
    start_ns: int
    end_ns: int
    failed: bool
    attributes: Mapping[str, Any]
    links: tuple[tuple[str, str], ...]

    @property
    def milliseconds(self) -> float:
        return (self.end_ns - self.start_ns) / 1e6


class UnreadableSpansError(Exception):
    """The body is not an OTLP trace request, or too large."""


def unzip(body: bytes, encoding: str) -> bytes:
    """The body of a request by its Content-Encoding. Raises UnreadableSpansError beyond MAX_BYTES."""
    if encoding != "gzip":
        return body
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        plain = inflate.decompress(body, MAX_BYTES)
    except zlib.error as error:
        raise UnreadableSpansError(f"not gzip: {error}") from None
    if not inflate.eof:
        raise UnreadableSpansError(f"cut off, or larger than {MAX_BYTES} bytes")
    return plain


def parse(body: bytes) -> list[Span]:
    """The spans of an ExportTraceServiceRequest. Raises UnreadableSpansError."""
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise UnreadableSpansError(f"not an OTLP trace request: {error}") from None
    spans = []
    for resource in request.resource_spans:
        service = _attributes(resource.resource.attributes).get("service.name", "")
        for scope in resource.scope_spans:
            for each in scope.spans:
                span = Span(
                    trace_id=each.trace_id.hex(),
                    span_id=each.span_id.hex(),
                    parent_id=each.parent_span_id.hex() or None,
                    name=each.name,
                    kind=KINDS[each.kind] if each.kind < len(KINDS) else KINDS[0],
                    service=str(service),
                    start_ns=each.start_time_unix_nano,
                    end_ns=each.end_time_unix_nano,
                    failed=each.status.code == 2,  # STATUS_CODE_ERROR
                    attributes=_attributes(each.attributes),
                    links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in each.links),
                )
                spans.append(span)
    return spans


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs if isinstance(pair, KeyValue)}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    if kind == "bytes_value":
        return value.bytes_value.hex()
    return getattr(value, kind) if kind else None


class TraceWriter:
    """Takes raw requests and writes their spans from a thread of its own, many in one transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: queue.Queue[list[Span] | None] = queue.Queue(MAX_WAITING)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(self._path)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(SCHEMA)
            database.execute("DELETE FROM spans WHERE start_ns < ?", [time.time_ns() - KEEP_SECONDS * 10**9])
            database.commit()
        self._thread = threading.Thread(target=self._run, name="trace-writer", daemon=True)
        self._thread.start()

    def add(self, spans: list[Span]) -> bool:
        """Take spans to write; False if so many wait that the sender should retry later."""
        try:
            self._waiting.put_nowait(spans)
        except queue.Full:
            return False
        return True

    def stop(self) -> None:
        """Write the spans that wait, and end."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(10)
            self._thread = None

    def _run(self) -> None:
        with contextlib.closing(sqlite3.connect(self._path, timeout=10)) as database:
            going = True
            while going:
                batch = [self._waiting.get()]
                with contextlib.suppress(queue.Empty):
                    while len(batch) < 100:
                        batch.append(self._waiting.get_nowait())
                going = None not in batch
                rows = [
                    (*(getattr(span, name) for name in PLAIN), json.dumps(span.attributes), json.dumps(span.links))
                    for spans in batch
                    for span in spans or ()
                ]
                with database:
                    database.executemany(
                        f"INSERT OR REPLACE INTO spans ({COLUMNS}) VALUES ({','.join('?' * 11)})",  # noqa: S608
                        rows,
                    )


class Traces:
    """Reads the spans in a file, from any process. An exported span is there after a moment, not at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def spans_of(self, trace_id: str) -> list[Span]:
        """The spans of a trace, sorted by their start."""
        return list(self._read("trace_id = ? ORDER BY start_ns", [trace_id.lower()]))

    def find(
        self,
        name: str | None = None,
        *,
        service: str | None = None,
        attributes: Mapping[str, str | int | bool] | None = None,
        limit: int = 100,
    ) -> list[Span]:
        """The latest spans with that name, of that service, with all those attributes; newest first."""
        conditions: list[str] = ["1"]
        values: list[str | int] = []
        for column, value in (("name", name), ("service", service)):
            if value is not None:
                conditions.append(f"{column} = ?")
                values.append(value)
        for key, wanted in (attributes or {}).items():
            conditions.append("json_extract(attributes, ?) = ?")
            values += [f'$."{key}"', wanted]
        return list(self._read(f"{' AND '.join(conditions)} ORDER BY start_ns DESC LIMIT ?", [*values, limit]))

    def _read(self, condition: str, values: list[Any]) -> Iterator[Span]:
        if not self._path.exists():
            return
        with contextlib.closing(sqlite3.connect(self._path, timeout=10)) as database:
            for row in database.execute(f"SELECT {COLUMNS} FROM spans WHERE {condition}", values):  # noqa: S608
                fields = dict(zip(COLUMNS.split(", "), row, strict=True))
                fields["failed"] = bool(fields["failed"])
                fields["attributes"] = json.loads(fields["attributes"])
                fields["links"] = tuple((trace, span) for trace, span in json.loads(fields["links"]))
                yield Span(**fields)

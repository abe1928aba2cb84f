"""From a CSV file to chunks of rows, and from a row to a task or to what is wrong with it. Pure."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, NoReturn

from pydantic import BaseModel, TypeAdapter

from chassis.errors import FieldError, Invalid
from contracts.common import Priority
from services.tasks.model import (
    MAX_DESCRIPTION,
    MAX_LABEL,
    MAX_LABELS,
    MAX_TITLE,
    PROJECT_KEY,
    Plan,
    PlannedTask,
    RowError,
)

COLUMNS = ("project", "title", "description", "priority", "assignee", "due_date", "labels")
REQUIRED = ("project", "title")
MAX_ROWS = 5000
CHUNK_ROWS = 100
CHUNK_BYTES = 250_000
MAX_CHUNKS = 90
"""All chunks, the import and its event are one transaction of at most 100 items. 5000 rows and 1 MB make at most 62."""
MAX_CELL = 2 * MAX_LABEL * MAX_LABELS
"""Longer than anything that can be right in a cell other than the description."""
SHOWN = 40

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Row(BaseModel):
    """A data row as it was sent; `row` counts from 1. `surplus` says why its cells can't be told apart."""

    row: int
    cells: dict[str, str]
    surplus: str | None = None


_ROWS = TypeAdapter(list[Row])


class Chunk(BaseModel):
    """A parcel of an import's rows, later of what was decided about them. `content` is JSON text: as one attribute it
    costs the store, and us, a fraction of thousands of them."""

    index: int
    content: str
    is_planned: bool = False
    version: int = 1

    def rows(self) -> list[Row]:
        return _ROWS.validate_json(self.content)

    def plan(self) -> Plan:
        return Plan.model_validate_json(self.content)

    def planned(self, plan: Plan) -> "Chunk":
        return Chunk(index=self.index, content=plan.model_dump_json(), is_planned=True, version=self.version + 1)


class Sheet(BaseModel):
    """A whole file, understood."""

    rows: int
    chunks: list[Chunk]


def read_sheet(body: bytes) -> Sheet:
    """Raises Invalid for a file that can't be read as a whole, saying where. Bad rows are no reason: they are kept,
    and reported when the import comes to them."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse(f"The file is not UTF-8 (byte {error.start + 1}); save it as CSV in UTF-8.")
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        _refuse(f"Line {line} has the control character U+{ord(found.group()):04X}; remove it.")
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = _header(next(lines, []))
        rows = [_row(number, header, cells) for number, cells in enumerate(filter(None, lines), start=1)]
    except csv.Error as error:
        _refuse(f"Line {lines.line_num} is not CSV: {error}. Check its quotes.")
    if not rows:
        _refuse("There is no row below the header.")
    if len(rows) > MAX_ROWS:
        _refuse(f"The file has {len(rows)} rows; split it into files of at most {MAX_ROWS}.")
    chunks = [Chunk(index=index, content=content) for index, content in enumerate(_parcels(rows))]
    return Sheet(rows=len(rows), chunks=chunks)


def _refuse(detail: str) -> NoReturn:
    raise Invalid(detail, [FieldError("body", detail)])


def _header(cells: list[str]) -> list[str]:
    header = [cell.strip().lower() for cell in cells]
    known = ", ".join(COLUMNS)
    errors = [FieldError(f"header.{name}", "This column is missing.") for name in REQUIRED if name not in header]
    for name in dict.fromkeys(header):
        if name not in COLUMNS:
            errors.append(FieldError(f"header.{_shown(name)}", f"No such column; there are {known}."))
        elif header.count(name) > 1:
            errors.append(FieldError(f"header.{name}", "This column stands there twice."))
    if errors:
        named = ", ".join(error.field.removeprefix("header.") for error in errors)
        raise Invalid(f"The header (the first line, with commas between its columns) is not right: {named}.", errors)
    return header


def _row(number: int, header: list[str], cells: list[str]) -> Row:
    """Cells that are missing at the end are empty, as some programs write them; surplus ones mean a lost quote."""
    if len(cells) > len(header):
        surplus = f"has {len(cells)} cells where the header has {len(header)}; put text with commas into quotes"
        return Row(row=number, cells={}, surplus=surplus)
    return Row(row=number, cells={name: _bounded(name, cell) for name, cell in zip(header, cells, strict=False)})


def _bounded(name: str, cell: str) -> str:
    """As much of a cell as it takes to see that it is too long: a row must fit into an item of the store."""
    return cell.strip()[: (MAX_DESCRIPTION if name == "description" else MAX_CELL) + 1]


def _parcels(rows: list[Row]) -> Iterator[str]:
    parcel: list[str] = []
    size = 0
    for row in rows:
        text = row.model_dump_json(exclude_none=True)
        length = len(text.encode()) + 1
        if parcel and (len(parcel) == CHUNK_ROWS or size + length > CHUNK_BYTES):
            yield f"[{','.join(parcel)}]"
            parcel, size = [], 0
        parcel.append(text)
        size += length
    yield f"[{','.join(parcel)}]"


class _Wrong(Exception):
    """What is wrong with a cell and what to do about it."""


def check(row: Row, projects: Mapping[str, str], people: Callable[[str], str | None]) -> PlannedTask | list[RowError]:
    """The task of a row, still without its number, or every error in it. `projects` maps keys to ids; `people`
    finds an active member by address."""
    if row.surplus:
        return [RowError(row=row.row, field="row", message=row.surplus)]
    errors: list[RowError] = []

    def cell(name: str, read: Callable[[str], Any]) -> Any:
        try:
            return read(row.cells.get(name, ""))
        except _Wrong as wrong:
            errors.append(RowError(row=row.row, field=name, message=str(wrong)))
            return None

    values = {
        "project_id": cell("project", lambda key: _project(key, projects)),
        "title": cell("title", _title),
        "description": cell("description", _description),
        "priority": cell("priority", _priority),
        "assignee_id": cell("assignee", lambda address: _assignee(address, people)),
        "due_on": cell("due_date", _due_on),
        "labels": cell("labels", _labels),
    }
    return errors or PlannedTask(row=row.row, **values)


def _project(key: str, projects: Mapping[str, str]) -> str:
    if not key:
        raise _Wrong("is empty; give a project's key")
    if not is_project_key(key):
        raise _Wrong(f"{_shown(key)!r} is no project key: 2 to 10 capital letters and digits, a letter first")
    if key not in projects:
        raise _Wrong(f"there is no project {key}; create it or correct the key")
    return projects[key]


def is_project_key(key: str) -> bool:
    return re.fullmatch(PROJECT_KEY, key) is not None


def _title(title: str) -> str:
    if not title:
        raise _Wrong("is empty; say what is to be done")
    if len(title) > MAX_TITLE:
        raise _Wrong(f"is longer than {MAX_TITLE} characters; shorten it")
    return title


def _description(description: str) -> str:
    if len(description) > MAX_DESCRIPTION:
        raise _Wrong(f"is longer than {MAX_DESCRIPTION} characters; shorten it")
    return description


def _priority(priority: str) -> Priority:
    try:
        return Priority(priority or Priority.MEDIUM)
    except ValueError:
        raise _Wrong(f"there is no priority {_shown(priority)!r}; use {', '.join(Priority)}") from None


def _assignee(address: str, people: Callable[[str], str | None]) -> str | None:
    if not address:
        return None
    user_id = people(address)
    if user_id is None:
        raise _Wrong(f"{_shown(address)!r} is no active member; invite them first or leave it empty")
    return user_id


def _due_on(day: str) -> date | None:
    if not day:
        return None
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise _Wrong(f"{_shown(day)!r} is no real date; write it as 2027-01-31") from None


def _labels(cell: str) -> list[str]:
    labels = list(dict.fromkeys(filter(None, (label.strip() for label in cell.split(";")))))
    if len(labels) > MAX_LABELS or len(cell) > MAX_CELL:
        raise _Wrong(f"has more than {MAX_LABELS} labels; leave some out")
    if any(len(label) > MAX_LABEL for label in labels):
        raise _Wrong(f"a label has more than {MAX_LABEL} characters; shorten it, and put ';' between labels")
    return labels


def _shown(value: str) -> str:
    return value if len(value) <= SHOWN else f"{value[:SHOWN]}…"

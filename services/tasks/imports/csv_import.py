"""Reading CSV: from a file to chunks of rows, and from a row to a planned task or to its errors. Pure."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NoReturn, Self

from chassis.errors import FieldError, Invalid
from contracts.common import Priority
from services.tasks.imports.model import Chunk, PlannedTask, Row, RowError
from services.tasks.projects.model import is_project_key
from services.tasks.tasks.model import MAX_DESCRIPTION, MAX_LABEL, MAX_LABELS, MAX_TITLE

COLUMNS = ("project", "title", "description", "priority", "assignee", "due_date", "labels")
REQUIRED = ("project", "title")
MAX_ROWS = 5000
CHUNK_ROWS = 100
CHUNK_BYTES = 250_000
MAX_CELL = 2 * MAX_LABEL * MAX_LABELS
"""Longer than any valid cell other than the description."""
QUOTED_CHARACTERS = 40

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class ImportFile:
    """A parsed file: the number of its rows, and the rows in chunks."""

    rows: int
    chunks: list[Chunk]

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Raises Invalid for a file that can't be read as a whole, with the place. Bad rows do not make it invalid:
        they are kept, and reported when the import comes to them."""
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            _refuse(f"The file is not UTF-8 (byte {error.start + 1}); save it as CSV in UTF-8.")
        if control := _CONTROL.search(text):
            line = text.count("\n", 0, control.start()) + 1
            _refuse(f"Line {line} has the control character U+{ord(control.group()):04X}; remove it.")
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
        return cls(len(rows), list(_chunks(rows)))


def _refuse(detail: str) -> NoReturn:
    raise Invalid(detail, [FieldError("body", detail)])


def _header(cells: list[str]) -> list[str]:
    """The names of the columns. Raises Invalid that names each column that is missing, unknown or there twice."""
    header = [cell.strip().lower() for cell in cells]
    columns = ", ".join(COLUMNS)
    errors = [FieldError(f"header.{name}", "This column is missing.") for name in REQUIRED if name not in header]
    for name in dict.fromkeys(header):
        if name not in COLUMNS:
            errors.append(FieldError(f"header.{_shorten(name)}", f"No such column; there are {columns}."))
        elif header.count(name) > 1:
            errors.append(FieldError(f"header.{name}", "This column appears twice."))
    if errors:
        names = ", ".join(error.field.removeprefix("header.") for error in errors)
        raise Invalid(f"The header (the first line, with commas between its columns) is not right: {names}.", errors)
    return header


def _row(number: int, header: list[str], cells: list[str]) -> Row:
    """The row with its cells by column. Cells that are missing at the end are empty, as some programs write them;
    surplus ones mean a lost quote. Of each cell so much is kept that it is seen to be too long: a row must fit into an
    item of the store."""
    if len(cells) > len(header):
        surplus = f"has {len(cells)} cells where the header has {len(header)}; put text with commas into quotes"
        return Row(row=number, cells={}, surplus=surplus)
    longest = {"description": MAX_DESCRIPTION}
    by_name = zip(header, cells, strict=False)
    return Row(row=number, cells={name: cell.strip()[: longest.get(name, MAX_CELL) + 1] for name, cell in by_name})


def _chunks(rows: list[Row]) -> Iterator[Chunk]:
    """The rows in chunks of at most CHUNK_ROWS rows and CHUNK_BYTES bytes."""
    index, size = 0, 0
    texts: list[str] = []
    for row in rows:
        text = row.model_dump_json(exclude_none=True)
        length = len(text.encode()) + 1
        if texts and (len(texts) == CHUNK_ROWS or size + length > CHUNK_BYTES):
            yield Chunk(index=index, content=f"[{','.join(texts)}]")
            index, size, texts = index + 1, 0, []
        texts.append(text)
        size += length
    yield Chunk(index=index, content=f"[{','.join(texts)}]")


class _CellError(Exception):
    """An error in a cell, with what to do about it."""


def plan_row(
    row: Row, projects: Mapping[str, str], find_person: Callable[[str], str | None]
) -> PlannedTask | list[RowError]:
    """The task of a row, still without its number, or every error in the row. `projects` maps keys to ids;
    `find_person` finds an active member by address."""
    if row.surplus:
        return [RowError(row=row.row, field="row", message=row.surplus)]
    errors: list[RowError] = []

    def cell(name: str, read: Callable[[str], Any]) -> Any:
        try:
            return read(row.cells.get(name, ""))
        except _CellError as error:
            errors.append(RowError(row=row.row, field=name, message=str(error)))
            return None

    values = {
        "project_id": cell("project", lambda key: _project(key, projects)),
        "title": cell("title", lambda title: _at_most(MAX_TITLE, _not_empty(title, "say what is to be done"))),
        "description": cell("description", lambda text: _at_most(MAX_DESCRIPTION, text)),
        "priority": cell("priority", _priority),
        "assignee_id": cell("assignee", lambda address: _assignee(address, find_person)),
        "due_on": cell("due_date", _due_on),
        "labels": cell("labels", _labels),
    }
    return errors or PlannedTask(row=row.row, **values)


def _project(key: str, projects: Mapping[str, str]) -> str:
    if not is_project_key(_not_empty(key, "give a project's key")):
        reason = "2 to 10 capital letters and digits, a letter first"
        raise _CellError(f"{_shorten(key)!r} is not a project key: {reason}")
    if key not in projects:
        raise _CellError(f"there is no project {key}; create it or correct the key")
    return projects[key]


def _not_empty(text: str, remedy: str) -> str:
    if not text:
        raise _CellError(f"is empty; {remedy}")
    return text


def _at_most(longest: int, text: str) -> str:
    if len(text) > longest:
        raise _CellError(f"is longer than {longest} characters; shorten it")
    return text


def _priority(priority: str) -> Priority:
    try:
        return Priority(priority or Priority.MEDIUM)
    except ValueError:
        raise _CellError(f"there is no priority {_shorten(priority)!r}; use {', '.join(Priority)}") from None


def _assignee(address: str, find_person: Callable[[str], str | None]) -> str | None:
    if not address:
        return None
    user_id = find_person(address)
    if user_id is None:
        raise _CellError(f"{_shorten(address)!r} is not an active member; invite them first or leave the cell empty")
    return user_id


def _due_on(day: str) -> date | None:
    try:
        return date.fromisoformat(day) if day else None
    except ValueError:
        raise _CellError(f"{_shorten(day)!r} is not a valid date; write it as 2027-01-31") from None


def _labels(cell: str) -> list[str]:
    labels = list(dict.fromkeys(filter(None, (label.strip() for label in cell.split(";")))))
    if len(labels) > MAX_LABELS or len(cell) > MAX_CELL:
        raise _CellError(f"has more than {MAX_LABELS} labels; leave some out")
    if any(len(label) > MAX_LABEL for label in labels):
        raise _CellError(f"a label has more than {MAX_LABEL} characters; shorten it, and put ';' between labels")
    return labels


def _shorten(value: str) -> str:
    return value if len(value) <= QUOTED_CHARACTERS else f"{value[:QUOTED_CHARACTERS]}…"

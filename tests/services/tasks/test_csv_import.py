import json

import pytest

from chassis.errors import Invalid
from contracts.common import Priority
from services.tasks.imports.csv_import import CHUNK_BYTES, COLUMNS, ImportFile, plan_row
from services.tasks.imports.model import MAX_CHUNKS, PlannedTask, Row, RowError

HEADER = ",".join(COLUMNS)
PROJECTS = {"WEB": "proj_web"}
GOOD = dict(zip(COLUMNS, ("WEB", "Ship it", "", "", "", "", ""), strict=True))


def people(address: str) -> str | None:
    return "user_bo" if address.casefold() == "bo@acme.example" else None


def rows_of(file: ImportFile) -> list[Row]:
    return [row for chunk in file.chunks for row in chunk.rows()]


def refusal(body: bytes) -> Invalid:
    with pytest.raises(Invalid) as refused:
        ImportFile.parse(body)
    return refused.value


# --- files


def test_columns_come_in_any_order_and_only_two_are_needed() -> None:
    [row] = rows_of(ImportFile.parse(b"\xef\xbb\xbf Title ,PROJECT\r\n Ship it ,WEB\r\n"))
    assert row == Row(row=1, cells={"title": "Ship it", "project": "WEB"})


def test_rows_count_from_one_and_empty_lines_do_not_count() -> None:
    file = ImportFile.parse(b'title,project\n"a\nb",WEB\n\nc,WEB\n\n')
    assert file.rows == 2
    assert [(row.row, row.cells["title"]) for row in rows_of(file)] == [(1, "a\nb"), (2, "c")]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", ["header.project", "header.title"]),
        (b"project,priority\nWEB,low\n", ["header.title"]),
        (b"project;title\nWEB;x\n", ["header.project", "header.title", "header.project;title"]),
        (b"project,title,assigne\nWEB,x,\n", ["header.assigne"]),
        (b"project,title,Title\nWEB,x,y\n", ["header.title"]),
    ],
)
def test_a_wrong_header_is_named(body: bytes, named: list[str]) -> None:
    assert [error.field for error in refusal(body).fields] == named


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"project,title\n", "no row"),
        (b"project,title\nWEB,\xff\n", "not UTF-8 (byte 19)"),
        (b'project,title\nWEB,"x\n', "Line 2 is not CSV"),
        (b"project,title\nWEB,x\nWEB,\x00\n", "Line 3 has the control character U+0000"),
        (b"project,title\n" + b"WEB,x\n" * 5001, "5001 rows"),
    ],
)
def test_a_file_that_cant_be_read_says_where(body: bytes, reason: str) -> None:
    assert reason in refusal(body).detail


def test_chunks_fit_into_the_store_whatever_the_rows_are() -> None:
    wide = ",".join(["€" * 20_000] * len(COLUMNS))
    quotes = ",".join(['"' + '""' * 9_999 + '"'] * len(COLUMNS))
    for body in (
        f"{HEADER}\n{wide}\n{wide}\n".encode(),
        f"{HEADER}\n".encode() + f"{quotes}\n".encode() * 7,
        f"{HEADER}\n".encode() + f"WEB,{'x' * 195},,,,,\n".encode() * 5000,
        f"{HEADER}\n".encode() + f'WEB,T,"{chr(10) * 9_999}",,,,\n'.encode() * 104,
    ):
        file = ImportFile.parse(body)
        assert sum(len(chunk.rows()) for chunk in file.chunks) == file.rows
        assert len(file.chunks) <= MAX_CHUNKS
        assert max(len(chunk.content.encode()) for chunk in file.chunks) < CHUNK_BYTES * 1.1
        assert sum(len(chunk.model_dump_json()) for chunk in file.chunks) < 4_000_000


# --- rows


def test_a_good_row_becomes_a_task() -> None:
    cells = {
        "project": "WEB",
        "title": "x" * 200,
        "description": "y" * 10_000,
        "priority": "urgent",
        "assignee": "BO@acme.example",
        "due_date": "2028-02-29",
        "labels": " bug ; ;ux;bug;",
    }
    outcome = plan_row(Row(row=7, cells=cells), PROJECTS, people)
    assert isinstance(outcome, PlannedTask)
    assert outcome.model_dump(mode="json") == {
        "row": 7,
        "number": 0,
        "project_id": "proj_web",
        "title": "x" * 200,
        "description": "y" * 10_000,
        "priority": "urgent",
        "due_on": "2028-02-29",
        "labels": ["bug", "ux"],
        "assignee_id": "user_bo",
    }


def test_what_is_left_out_has_a_default() -> None:
    outcome = plan_row(Row(row=1, cells={"project": "WEB", "title": "Ship it"}), PROJECTS, people)
    assert isinstance(outcome, PlannedTask)
    assert (outcome.priority, outcome.assignee_id, outcome.due_on, outcome.labels) == (Priority.MEDIUM, None, None, [])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"project": ""}, "is empty"),
        ({"project": "we b!"}, "'we b!' is not a project key"),
        ({"project": "OPS"}, "there is no project OPS"),
        ({"title": ""}, "is empty"),
        ({"title": "x" * 201}, "longer than 200"),
        ({"description": "x" * 10_001}, "longer than 10000"),
        ({"priority": "super-high"}, "use low, medium, high, urgent"),
        ({"assignee": "nobody@elsewhere.example"}, "is not an active member"),
        ({"due_date": "2027-02-30"}, "'2027-02-30' is not a valid date"),
        ({"due_date": "next week"}, "write it as 2027-01-31"),
        ({"labels": ";".join(f"l{n}" for n in range(21))}, "more than 20 labels"),
        ({"labels": "x" * 51}, "more than 50 characters"),
    ],
)
def test_a_bad_cell_is_reported_with_what_to_do(wrong: dict[str, str], says: str) -> None:
    outcome = plan_row(Row(row=3, cells=GOOD | wrong), PROJECTS, people)
    assert isinstance(outcome, list)
    [error] = outcome
    assert (error.row, error.field) == (3, next(iter(wrong)))
    assert says in error.message


def test_every_bad_cell_of_a_row_is_reported() -> None:
    outcome = plan_row(Row(row=3, cells=GOOD | {"title": "", "priority": "?"}), PROJECTS, people)
    assert isinstance(outcome, list)
    assert [error.field for error in outcome] == ["title", "priority"]


def test_cells_too_long_for_the_store_are_still_reported() -> None:
    """They are cut on the way, and must not become right by that."""
    cells = {"project": "WEB", "title": "T", "labels": ";".join([" " * 3000, "ok", " " * 3000, *"abc" * 900])}
    for name in COLUMNS:
        body = ",".join(COLUMNS) + "\n" + ",".join((GOOD | {name: "x" * 30_000})[column] for column in COLUMNS)
        [row] = rows_of(ImportFile.parse(body.encode()))
        outcome = plan_row(row, PROJECTS, people)
        assert isinstance(outcome, list), name
        assert [error.field for error in outcome] == [name]
    [row] = rows_of(ImportFile.parse(f"project,title,labels\nWEB,T,{cells['labels']}".encode()))
    assert isinstance(plan_row(row, PROJECTS, people), list)


def test_a_row_with_surplus_cells_is_reported_and_short_ones_are_filled() -> None:
    surplus, short = rows_of(ImportFile.parse(f"{HEADER}\nWEB,Ship it, today,,,,,\nWEB,Ship it\n".encode()))
    outcome = plan_row(surplus, PROJECTS, people)
    assert isinstance(outcome, list)
    assert outcome == [
        RowError(row=1, field="row", message="has 8 cells where the header has 7; put text with commas into quotes")
    ]
    assert isinstance(plan_row(short, PROJECTS, people), PlannedTask)


def test_content_is_plain_json() -> None:
    [chunk] = ImportFile.parse("project,title\nWEB,Größe".encode()).chunks
    assert json.loads(chunk.content) == [{"row": 1, "cells": {"project": "WEB", "title": "Größe"}}]

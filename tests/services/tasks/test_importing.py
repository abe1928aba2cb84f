"""Imports end the same wherever a process dies, and however often their request is delivered."""

import asyncio
import contextlib
import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import Unavailable
from chassis.testing.service import ServiceUnderTest
from contracts.tasks import v1 as events
from services.tasks.imports.consumers import imports
from tests.services.tasks.office import CSV, Office


async def test_good_rows_become_tasks_and_bad_ones_are_reported(office: Office) -> None:
    await office.deliver()
    report = await office.report()
    assert {name: report[name] for name in ("status", "rows", "created", "failed")} == {
        "status": "completed",
        "rows": 7,
        "created": 5,
        "failed": 2,
    }
    assert [(error["row"], error["field"]) for error in report["errors"]] == [
        (3, "title"),
        (5, "project"),
        (5, "assignee"),
    ]
    tasks = await office.tasks()
    assert [(task["project_id"], task["number"], task["title"], task["assignee_ids"]) for task in tasks] == [
        ("OPS", 1, "Two", ["user_bo"]),
        ("OPS", 2, "Seven", ["user_cy"]),
        ("WEB", 1, "One", ["user_bo"]),
        ("WEB", 2, "Four", ["user_cy"]),
        ("WEB", 3, "Six", []),
    ]
    assert {(task["created_by"], task["import_id"]) for task in tasks} == {("user_ada", office.import_id)}
    assert await office.titles_of("user_bo") == ["One", "Two"]


async def test_each_task_and_the_end_are_published(office: Office) -> None:
    await office.deliver()
    created = await office.service.published_events(events.TaskCreated)
    assigned = await office.service.published_events(events.TaskAssigned)
    assert len(created) == 5
    assert Counter(each.data["assignee_id"] for each in assigned) == {"user_bo": 2, "user_cy": 2}
    assert {(each.data["import_id"], each.actor) for each in [*created, *assigned]} == {(office.import_id, "user_ada")}
    assert {each.data["assigned_by"] for each in assigned} == {"user_ada"}
    [completed] = await office.service.published_events(events.ImportCompleted)
    assert completed.causationid == office.requested.id
    assert completed.data == {
        "import_id": office.import_id,
        "requested_by": "user_ada",
        "created": 5,
        "failed": 2,
        "assigned": {"user_bo": 2, "user_cy": 2},
        "outcome": "completed",
    }


async def test_assigning_an_imported_task_later_is_not_the_imports_doing(office: Office) -> None:
    await office.deliver()
    [task] = [each for each in await office.tasks() if each["title"] == "Six"]
    await office.client.put(f"/v1/tasks/{task['id']}/assignees/user_bo")
    assert "import_id" not in (await office.service.published_events(events.TaskAssigned))[-1].data


async def test_the_rows_are_not_kept(office: Office) -> None:
    await office.deliver()
    assert [key for key in office.table.items if key.sk.startswith("CHUNK#")] == []


async def test_a_repeated_delivery_changes_nothing(office: Office) -> None:
    await office.deliver()
    before = await office.outcome()
    await office.deliver()
    assert await office.outcome() == before


async def test_the_same_file_sent_again_makes_the_tasks_again(office: Office) -> None:
    """The control of the test above: it is the import that is repeated there, not its content."""
    await office.deliver()
    await office.ask()
    await office.deliver()
    tasks = await office.tasks()
    assert len(tasks) == 10
    assert Counter((task["project_id"], task["number"]) for task in tasks).most_common(1)[0][1] == 1


async def opened() -> Office:
    office = Office()
    await office.open()
    return office


async def undisturbed() -> tuple[int, dict[str, Any]]:
    office = await opened()
    await office.deliver()
    return office.table.writes, await office.outcome()


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_it_ends_the_same_wherever_its_process_dies(after: bool) -> None:
    """Before and after each single write; the events that the dead process had in memory are left to the sweeper."""
    writes, expected = await undisturbed()
    assert writes == 3 + 5 + 3 + 1  # plans, tasks, counts, the end
    for at in range(1, writes + 1):
        office = await opened()
        office.table.live(until=at, after=after)
        with pytest.raises(Unavailable):
            await office.deliver()
        office.restart()
        await office.deliver()
        assert await office.outcome() == expected, f"died at write {at}"


@pytest.mark.usefixtures("small_chunks")
async def test_it_ends_the_same_when_its_process_dies_again_and_again() -> None:
    _, expected = await undisturbed()
    office = await opened()
    deliveries = 0
    while (await office.report())["status"] == "running":
        # A chunk's three tasks are tried again each time, so a fourth write is the least that gets it on.
        office.table.live(until=4, after=deliveries % 2 == 0)
        deliveries += 1
        assert deliveries < 50, "it does not get on"
        with contextlib.suppress(Unavailable):
            await office.deliver()
        office.restart()
    assert deliveries > 3
    assert await office.outcome() == expected


@pytest.mark.usefixtures("small_chunks")
async def test_it_ends_the_same_wherever_another_delivery_overtakes() -> None:
    """As when a process was believed dead and was only slow."""
    writes, expected = await undisturbed()
    for at in range(1, writes + 1):
        office = await opened()
        office.table.overtaken = {at: office.deliver}
        await office.deliver()
        assert not office.table.overtaken
        assert await office.outcome() == expected, f"overtaken at write {at}"


async def test_a_request_that_comes_again_under_another_id_changes_nothing(office: Office) -> None:
    """As when it is replayed after its claim was forgotten."""
    await office.deliver()
    before = await office.outcome()
    event = events.ImportRequested(import_id=office.import_id, rows=7, requested_by="user_ada")
    await office.service.deliver(imports, event)
    assert await office.outcome() == before


async def test_what_was_decided_stays_whatever_happens_meanwhile(office: Office) -> None:
    office.table.live(until=2)  # the first chunk is decided about, its tasks are not made
    with pytest.raises(Unavailable):
        await office.deliver()
    office.restart()
    await office.remove("user_bo")
    [_, web] = (await office.client.get("/v1/projects")).json()["items"]
    between = await office.client.post("/v1/tasks", json={"project_id": web["id"], "title": "In between"})
    await office.deliver()
    assert between.json()["number"] == 2  # row 1 has its number already
    assert await office.titles_of("user_bo") == ["One", "Two"]
    assert [task["number"] for task in await office.tasks() if task["project_id"] == "WEB"] == [1, 2, 3, 4]


async def test_members_are_those_of_the_time_when_it_runs(office: Office) -> None:
    await office.remove("user_bo")
    await office.deliver()
    assert [error["row"] for error in (await office.report())["errors"] if error["field"] == "assignee"] == [1, 2, 3, 5]


@pytest.mark.usefixtures("small_chunks")
async def test_deliveries_at_the_same_time_end_as_one() -> None:
    _, expected = await undisturbed()
    office = await opened()
    await asyncio.gather(office.deliver(), office.deliver(), office.deliver())
    assert await office.outcome() == expected


async def test_imports_at_the_same_time_share_out_the_numbers(office: Office) -> None:
    first = office.requested
    await office.ask()
    await asyncio.gather(office.deliver(first), office.deliver())
    numbers = Counter((task["project_id"], task["number"]) for task in await office.tasks())
    assert sorted(numbers) == [("OPS", n) for n in range(1, 5)] + [("WEB", n) for n in range(1, 7)]
    assert set(numbers.values()) == {1}


async def test_the_sample_backlog_is_imported(under_test: ServiceUnderTest) -> None:
    folder = Path(__file__).parents[3] / "examples" / "acme"
    text = (folder / "backlog.csv").read_text(encoding="utf-8")
    for row in csv.DictReader((folder / "people.csv").open(encoding="utf-8")):
        user_id = "user_" + "".join(filter(str.isalnum, row["email"].split("@")[0].lower()))
        await under_test.add_member(user_id)
        text = text.replace(row["email"], f"{user_id.removeprefix('user_')}@acme.example")
    async with under_test.client() as client:
        for key in ("WEB", "OPS", "MOB", "DOC"):
            await client.post("/v1/projects", json={"key": key, "name": key})
        import_id = (await client.post("/v1/imports", content=text.encode(), headers=CSV)).json()["id"]
        event = events.ImportRequested(import_id=import_id, rows=330, requested_by="user_ada")
        await under_test.deliver(imports, event)
        report = (await client.get(f"/v1/imports/{import_id}")).json()
    assert (report["status"], report["rows"], report["created"], report["failed"]) == ("completed", 330, 325, 5)
    assert [(error["row"], error["field"]) for error in report["errors"]] == [
        (37, "title"),
        (104, "priority"),
        (171, "due_date"),
        (238, "assignee"),
        (305, "project"),
    ]
    assert len(await under_test.published_events(events.TaskAssigned)) == 325 - 39

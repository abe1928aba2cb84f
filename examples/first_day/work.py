"""Work: the imported backlog, what people do with their tasks, and the files they upload."""

from collections import Counter
from typing import Any

import aiohttp

from examples.first_day.client import Person, UnexpectedAnswerError
from examples.first_day.day import Day
from examples.first_day.inputs import Upload


async def import_backlog(day: Day, manager: Person) -> None:
    keys = sorted({row.project for row in day.inputs.backlog})
    day.progress(f"{manager.name} creates {len(keys)} projects and imports {day.inputs.backlog_rows} rows")
    for key in keys:
        answer = await manager.call("POST", "/v1/projects", json={"key": key, "name": f"Project {key}"}, expect=201)
        day.projects[key] = answer["id"]
        day.ledger.event("tasks.project.created.v1")
        day.ledger.projects[answer["id"]] = day.ledger.projects[answer["id"]]
    await day.until(lambda: day.api.pages("/v1/assignees", manager.token), lambda known: knows_everybody(day, known))
    text = day.inputs.backlog_text
    for row in {person.email for person in day.inputs.good_people}:
        text = text.replace(row, day.address(row))
    body = text.encode()
    answer = await manager.call("POST", "/v1/imports", data=body, content_type="text/csv", expect=202)
    await day.reach_milestone("import accepted")
    path = f"/v1/imports/{answer['id']}"
    report = await day.until(
        lambda: manager.call("GET", path), lambda answer: answer["status"] == "completed", seconds=120
    )
    check_report(day, report.body, manager)


def knows_everybody(day: Day, assignees: list[dict[str, Any]]) -> bool:
    return {person.user_id for person in day.people.values()} <= {each["user_id"] for each in assignees}


def check_report(day: Day, report: dict[str, Any], manager: Person) -> None:
    assigned: Counter[str] = Counter()
    good = 0
    for row in day.inputs.backlog:
        assignee = day.people.get(day.address(row.assignee).lower()) if row.assignee else None
        if row.assignee and assignee is None:
            continue
        good += 1
        day.ledger.record_task(day.projects[row.project])
        if assignee is not None:
            assigned[assignee.user_id] += 1
            day.ledger.record_assignment(assignee.user_id, manager.user_id, imported=True)
    day.ledger.record_import(manager.user_id, assigned)
    bad = day.inputs.backlog_rows - good
    if (report["created"], report["failed"], len({e["row"] for e in report["errors"]})) != (good, bad, bad):
        raise UnexpectedAnswerError(f"the import should make {good} tasks and report {bad} rows: {report}")
    for error in report["errors"]:
        day.progress(f"backlog row {error['row']}, {error['field']}: {error['message']}")


async def work(day: Day, manager: Person) -> None:
    workers = [p for p in day.people.values() if p.role in ("member", "manager", "admin")]
    day.progress("People assign, comment with @mentions, move tasks through their statuses, and complete some")
    project = next(iter(day.projects.values()))
    await day.crowd(
        task_story(day, manager, workers[i % len(workers)], workers[(i + 1) % len(workers)], project, i)
        for i in range(12)
    )
    await day.reach_milestone("half of the work")
    await day.crowd(start_own_tasks(day, person) for person in workers)
    viewer = next((p for p in day.people.values() if p.role == "viewer"), None)
    if viewer is not None:
        body = {"project_id": project, "title": "Not mine to create"}
        await day.api.call("POST", "/v1/tasks", token=viewer.token, json=body, expect=403)
        day.ledger.event("tasks.access.denied.v1")


async def task_story(day: Day, manager: Person, worker: Person, helper: Person, project: str, number: int) -> None:
    body = {"project_id": project, "title": f"Kick-off {number + 1}", "priority": "high", "due_on": "2026-12-04"}
    task = await manager.call("POST", "/v1/tasks", json=body, expect=201)
    day.ledger.record_task(project)
    path = f"/v1/tasks/{task['id']}"
    await manager.call("PUT", f"{path}/assignees/{worker.user_id}")
    day.ledger.record_assignment(worker.user_id, manager.user_id)
    if not day.assignment and worker is not manager:
        day.assignment = {"task_id": task["id"], "assignee_id": worker.user_id, "email": worker.email}
    mentioned = {p.user_id for p in (helper, manager)} - {worker.user_id}
    text = f"I start today. @{helper.email} could you review? @{manager.email.upper()} for your information."
    await worker.call("POST", f"{path}/comments", json={"text": text}, expect=201)
    day.ledger.record_comment(mentioned)
    previous = "open"
    for status in ("in_progress", "in_review", "done"):
        await worker.call("PUT", f"{path}/status", json={"status": status})
        day.ledger.record_status_change(project, [worker.user_id], previous, status)
        previous = status


async def start_own_tasks(day: Day, person: Person) -> None:
    """Starts up to three of the person's imported tasks and finishes the first."""
    tasks = await day.api.pages("/v1/tasks", person.token, {"assignee_id": person.user_id})
    mine = sorted((t for t in tasks if t["status"] == "open"), key=lambda t: (t["project_id"], t["number"]))[:3]
    for position, task in enumerate(mine):
        path, project = f"/v1/tasks/{task['id']}", task["project_id"]
        await person.call("PUT", f"{path}/status", json={"status": "in_progress"})
        day.ledger.record_status_change(project, task["assignee_ids"], "open", "in_progress")
        if position == 0:
            await person.call("PUT", f"{path}/status", json={"status": "done"})
            day.ledger.record_status_change(project, task["assignee_ids"], "in_progress", "done")


async def upload(day: Day) -> None:
    members = [p for p in day.people.values() if p.role in ("member", "manager", "admin")]
    day.progress(f"Members upload {len(day.inputs.uploads)} files")
    pairs = [(members[at % len(members)], upload) for at, upload in enumerate(day.inputs.uploads)]
    await day.crowd(upload_one(day, person, upload) for person, upload in pairs)


async def upload_one(day: Day, person: Person, upload: Upload) -> None:
    content = upload.path.read_bytes()
    body = {"name": upload.path.name, "content_type": upload.content_type, "size": len(content)}
    if isinstance(upload.fate, int):
        refused = await day.api.call("POST", "/v1/files", token=person.token, json=body, expect=upload.fate)
        day.ledger.refused_files.add(upload.path.name)
        day.progress(f"{upload.path.name} is refused: {refused['detail']}")
        return
    answer = await person.call("POST", "/v1/files", json=body, expect=201)
    form = answer["upload"]
    await post(day, form["url"], form["fields"], content, upload.path.name)
    is_document = upload.content_type == "application/pdf"
    is_picture = upload.content_type.startswith("image/") or is_document
    day.ledger.record_upload(answer["id"], str(upload.fate), picture=is_picture, text=is_document)
    await day.until(lambda: person.call("GET", f"/v1/files/{answer['id']}"), lambda file: file["status"] == upload.fate)


async def post(day: Day, url: str, fields: dict[str, str], content: bytes, name: str) -> None:
    """Uploads a file with a presigned POST."""
    form = aiohttp.FormData()
    for key, value in fields.items():
        form.add_field(key, value)
    form.add_field("file", content, filename=name)
    async with day.api.session.post(url, data=form) as answer:
        if answer.status not in (200, 201, 204):
            raise UnexpectedAnswerError(f"the file store answered {answer.status}: {await answer.text()}")

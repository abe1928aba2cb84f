"""Tables against a fold of the events."""

from collections import Counter, defaultdict

from chassis.storage.table import Item
from verification.simulation import folds
from verification.simulation.facts import Fact, Facts
from verification.simulation.violations import Violation
from verification.simulation.world import World

WITH_MEMBERS = ("tenancy", "tasks", "notify", "files", "audit", "analytics")


def check(world: World, facts: Facts) -> None:
    """Raises Violation."""
    _check_organizations(world, facts)
    _check_members(world, facts)
    _check_tasks(world, facts)
    _check_figures(world, facts)
    _check_notes(world, facts)
    _check_mails(world, facts)
    _check_files(world)


def _org(item: Item) -> str:
    return str(item["PK"].split("#")[1])


def _equal(what: str, wanted: object, found: object) -> None:
    if wanted != found:
        raise Violation("projection", f"{what}: the events say {wanted}, it holds {found}")


def _check_organizations(world: World, facts: Facts) -> None:
    wanted = folds.organizations(facts)
    for service in (*WITH_MEMBERS, "identity"):
        found = {_org(row): {name: row[name] for name in folds.STATE} for row in world.items(service, "ORGANIZATION")}
        _equal(f"organizations in {service}", wanted, found)


def _check_members(world: World, facts: Facts) -> None:
    wanted = folds.memberships(facts)
    for service in WITH_MEMBERS:
        rows = world.items(service, "MEMBER")
        found = {(_org(row), row["id"]): folds.held(row) for row in rows}
        _equal(f"members in {service}", wanted, found)
    rows = [row for row in world.items("identity", "ACCOUNT") if row["SK"].startswith("MEMBERSHIP#")]
    held = {(row["id"], row["PK"].split("#")[1]): folds.held(row) for row in rows}
    _equal("memberships in identity", wanted, held)


def _check_tasks(world: World, facts: Facts) -> None:
    told: dict[str, list[Fact]] = defaultdict(list)
    kinds = ("created", "assigned", "unassigned", "status_changed")
    for fact in facts.of(*(f"tasks.task.{kind}" for kind in kinds)):
        told[fact.subject].append(fact)
    rows = {row["id"]: row for row in world.items("tasks", "TASK") if row["SK"] == "A"}
    _equal("tasks", told.keys(), rows.keys())
    numbers: dict[str, list[int]] = defaultdict(list)
    for task_id, row in rows.items():
        state = folds.task_state(told[task_id])
        if isinstance(state, str):
            raise Violation("duplicated", f"{task_id}: {state}: {told[task_id]}")
        held = folds.TaskState(row["status"], row["assignee_ids"], row["version"])
        state.assignees.sort()
        held.assignees.sort()
        _equal(task_id, state, held)
        numbers[row["project_id"]].append(row["number"])
    for project_id, given in numbers.items():
        _equal(f"numbers of {project_id}", list(range(1, len(given) + 1)), sorted(given))


def _check_figures(world: World, facts: Facts) -> None:
    wanted = folds.figures(facts)
    found = {}
    for kind, name in (("PROJECT", "project_id"), ("PERSON", "user_id")):
        for row in world.items("analytics", kind):
            found[_org(row), kind, row[name]] = folds.nonzero(row)
    _equal("figures", wanted, found)


def _check_notes(world: World, facts: Facts) -> None:
    """Who was removed may have been told, or not: that depends on what came first."""
    wanted, rows = folds.notices(facts).notes, world.items("notify", "NOTIFICATION")
    found = {(row["event_id"], row["user_id"]): _org(row) for row in rows}
    left = world.state.ledger.removed
    missing = {each: org for each, org in wanted.items() if each not in found and (org, each[1]) not in left}
    if missing:
        raise Violation("lost", f"nobody was told of {missing}")
    if surplus := found.keys() - wanted.keys():
        raise Violation("without a command", f"somebody was told of {surplus}")
    unread: Counter[tuple[str, str]] = Counter((_org(row), row["user_id"]) for row in rows)
    counted = {(_org(row), row["user_id"]): row["unread"] for row in world.items("notify", "UNREAD")}
    if dict(unread) != counted:
        raise Violation("duplicated", f"unread: there are {dict(unread)}, counted are {counted}")


def _check_mails(world: World, facts: Facts) -> None:
    wanted = {f"{event}.{whom}": (org, whom) for (event, whom), org in folds.notices(facts).mails.items()}
    sent = {mail.id for mail in world.state.outside.mails}
    left = world.state.ledger.removed
    if missing := {each for each, whose in wanted.items() if each not in sent and whose not in left}:
        raise Violation("lost", f"e-mails were never sent: {missing}")
    if surplus := sent - wanted.keys():
        raise Violation("without a command", f"e-mails were sent: {surplus}")
    if owed := [row["id"] for row in world.items("notify", "DELIVERY") if row["status"] == "pending"]:
        raise Violation("lost", f"e-mails are still owed: {owed}")


def _check_files(world: World) -> None:
    store, uploads = world.state.outside.store, world.state.ledger.uploads
    for row in world.items("files", "FILE"):
        upload = uploads.get(row["name"])
        wanted = "awaiting_upload" if upload is None else "ready" if upload.good else "rejected"
        _equal(f"file {row['name']}", wanted, row["status"])
        prefix = f"{_org(row)}/{row['id']}/"
        kept = {key.removeprefix(prefix) for key in store.keys if key.startswith(prefix)}
        objects = {"original", "text.txt"} if wanted == "ready" and "text" in row else {"original"}
        _equal(f"objects of {row['name']}", objects if wanted == "ready" else set(), kept)

"""Checks of tables against a fold of the events."""

from collections import Counter, defaultdict

from chassis.storage.table import Item
from verification.simulation import folds
from verification.simulation.facts import Fact, Facts
from verification.simulation.violations import Violation
from verification.simulation.world import World

WITH_MEMBERS = ("tenancy", "tasks", "notify", "files", "audit", "analytics")


def check(world: World, facts: Facts) -> None:
    """Check every projection. Raises Violation."""
    check_organizations(world, facts)
    check_members(world, facts)
    check_tasks(world, facts)
    check_figures(world, facts)
    check_notifications(world, facts)
    check_mails(world, facts)
    check_files(world)


def _org_of(item: Item) -> str:
    return str(item["PK"].split("#")[1])


def _require_equal(what: str, wanted: object, actual: object) -> None:
    if wanted != actual:
        raise Violation("projection", f"{what}: expected {wanted} by the events, found {actual}")


def check_organizations(world: World, facts: Facts) -> None:
    """Check each service's projection of organizations."""
    wanted = folds.organizations(facts)
    for service in (*WITH_MEMBERS, "identity"):
        actual = {
            _org_of(row): {name: row[name] for name in folds.STATE} for row in world.items(service, "ORGANIZATION")
        }
        _require_equal(f"organizations in {service}", wanted, actual)


def check_members(world: World, facts: Facts) -> None:
    """Check each service's projection of memberships."""
    wanted = folds.memberships(facts)
    for service in WITH_MEMBERS:
        rows = world.items(service, "MEMBER")
        actual = {(_org_of(row), row["id"]): folds.membership_in(row) for row in rows}
        _require_equal(f"members in {service}", wanted, actual)
    rows = [row for row in world.items("identity", "ACCOUNT") if row["SK"].startswith("MEMBERSHIP#")]
    actual = {(row["id"], row["PK"].split("#")[1]): folds.membership_in(row) for row in rows}
    _require_equal("memberships in identity", wanted, actual)


def check_tasks(world: World, facts: Facts) -> None:
    """Check each task against its events, and that the numbers in a project have no gap and no duplicate."""
    events: dict[str, list[Fact]] = defaultdict(list)
    kinds = ("created", "assigned", "unassigned", "status_changed")
    for fact in facts.of(*(f"tasks.task.{kind}" for kind in kinds)):
        events[fact.subject].append(fact)
    rows = {row["id"]: row for row in world.items("tasks", "TASK") if row["SK"] == "A"}
    _require_equal("tasks", events.keys(), rows.keys())
    numbers: dict[str, list[int]] = defaultdict(list)
    for task_id, row in rows.items():
        state = folds.task_state(events[task_id])
        if isinstance(state, str):
            raise Violation("duplicated", f"{task_id}: {state}: {events[task_id]}")
        actual = folds.TaskState(row["status"], row["assignee_ids"], row["version"])
        state.assignees.sort()
        actual.assignees.sort()
        _require_equal(task_id, state, actual)
        numbers[row["project_id"]].append(row["number"])
    for project_id, used in numbers.items():
        _require_equal(f"numbers of {project_id}", list(range(1, len(used) + 1)), sorted(used))


def check_figures(world: World, facts: Facts) -> None:
    """Check the counters of analytics."""
    wanted = folds.figures(facts)
    actual = {}
    for kind, name in (("PROJECT", "project_id"), ("PERSON", "user_id")):
        for row in world.items("analytics", kind):
            actual[_org_of(row), kind, row[name]] = folds.nonzero(row)
    _require_equal("figures", wanted, actual)


def check_notifications(world: World, facts: Facts) -> None:
    """Check in-app notifications and their unread counters.

    A removed member may have been notified or not: that depends on which event came first.
    """
    wanted, rows = folds.notifications(facts).in_app, world.items("notify", "NOTIFICATION")
    actual = {(row["event_id"], row["user_id"]): _org_of(row) for row in rows}
    removed = world.state.ledger.removed
    missing = {each: org for each, org in wanted.items() if each not in actual and (org, each[1]) not in removed}
    if missing:
        raise Violation("lost", f"notifications are missing: {missing}")
    if surplus := actual.keys() - wanted.keys():
        raise Violation("without a command", f"notifications have no event: {surplus}")
    unread: Counter[tuple[str, str]] = Counter((_org_of(row), row["user_id"]) for row in rows)
    counted = {(_org_of(row), row["user_id"]): row["unread"] for row in world.items("notify", "UNREAD")}
    if dict(unread) != counted:
        raise Violation("duplicated", f"there are {dict(unread)} unread notifications, but the counters are {counted}")


def check_mails(world: World, facts: Facts) -> None:
    """Check that each e-mail was sent, except perhaps to removed members, and that none is pending."""
    wanted = {
        f"{event}.{recipient}": (org, recipient) for (event, recipient), org in folds.notifications(facts).mails.items()
    }
    sent = {mail.id for mail in world.state.outside.mails}
    removed = world.state.ledger.removed
    if missing := {mail for mail, member in wanted.items() if mail not in sent and member not in removed}:
        raise Violation("lost", f"e-mails were never sent: {missing}")
    if surplus := sent - wanted.keys():
        raise Violation("without a command", f"e-mails have no event: {surplus}")
    if pending := [row["id"] for row in world.items("notify", "DELIVERY") if row["status"] == "pending"]:
        raise Violation("lost", f"e-mails are still pending: {pending}")


def check_files(world: World) -> None:
    """Check the status of each file and its objects in the store."""
    store, uploads = world.state.outside.store, world.state.ledger.uploads
    for row in world.items("files", "FILE"):
        upload = uploads.get(row["name"])
        wanted = "awaiting_upload" if upload is None else "ready" if upload.good else "rejected"
        _require_equal(f"file {row['name']}", wanted, row["status"])
        prefix = f"{_org_of(row)}/{row['id']}/"
        stored = {key.removeprefix(prefix) for key in store.keys if key.startswith(prefix)}
        objects = {"original", "text.txt"} if wanted == "ready" and "text" in row else {"original"}
        _require_equal(f"objects of {row['name']}", objects if wanted == "ready" else set(), stored)

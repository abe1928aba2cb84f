"""The expected content of projections: folds of all events, by code that is independent of the services' own."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from verification.simulation.facts import Fact, Facts

Membership = tuple[str, list[str], bool, int]
"""Role, additional grants, active, version."""
MEMBER_FACTS = tuple(f"tenancy.member.{what}" for what in ("added", "role_changed", "permissions_changed", "removed"))
STATE = ("slug", "name", "plan", "status", "allowed_origins")


def organizations(facts: Facts) -> dict[str, dict[str, Any]]:
    """State of each organization by its newest event."""
    newest: dict[str, Fact] = {}
    for fact in facts.of(*(f"tenancy.organization.{what}" for what in ("created", "plan_changed", "changed"))):
        if fact.org not in newest or newest[fact.org].version < fact.version:
            newest[fact.org] = fact
    return {org: fact.data["organization"] for org, fact in newest.items()}


def memberships(facts: Facts) -> dict[tuple[str, str], Membership]:
    """State of each membership by its newest event; the key is (organization, user)."""
    newest: dict[tuple[str, str], Membership] = {}
    for fact in facts.of(*MEMBER_FACTS):
        key, data = (fact.org, fact.subject), fact.data
        if key not in newest or newest[key][3] < fact.version:
            newest[key] = (data["role"], data["grants"], fact.type != "tenancy.member.removed.v1", fact.version)
    return newest


def membership_in(row: dict[str, Any]) -> Membership:
    """A membership as a row of a projection has it."""
    return row["role"], row["grants"], row["active"], row["version"]


@dataclass
class TaskState:
    """State of a task that follows from its events."""

    status: str
    assignees: list[str]
    version: int


def task_state(facts: list[Fact]) -> TaskState | str:
    """The state of a task after all of its facts, or an error text if they do not fit together."""
    facts = sorted(facts, key=lambda fact: (fact.version, fact.type != "tasks.task.created.v1", fact.id))
    if [fact.type for fact in facts].count("tasks.task.created.v1") != 1 or facts[0].version != 1:
        return "it was not created exactly once"
    state = TaskState(facts[0].data["status"], [], 1)
    for fact in facts[1:]:
        if fact.version > 1 and fact.version != state.version + 1:
            return f"version {fact.version} follows {state.version}"
        state.version = fact.version
        match fact.type, fact.data:
            case "tasks.task.assigned.v1", {"assignee_id": user_id} if user_id not in state.assignees:
                state.assignees.append(user_id)
            case "tasks.task.unassigned.v1", {"assignee_id": user_id} if user_id in state.assignees:
                state.assignees.remove(user_id)
            case "tasks.task.status_changed.v1", {"previous_status": previous} if previous == state.status:
                state.status = fact.data["status"]
            case _:
                return f"{fact.type} does not fit {state}"
    return state


def figures(facts: Facts) -> dict[tuple[str, str, str], dict[str, int]]:
    """Counters of analytics by organization, PROJECT or PERSON, and id; without those that are 0."""
    sums: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def count(key: tuple[str, str, str], status: str, amount: int, day: str | None = None) -> None:
        sums[key]["done" if status == "done" else "open"] += amount
        if status == "done" and day:
            sums[key][f"done_on_{day}"] += amount

    for fact in facts.of("tasks.project.created"):
        sums[fact.org, "PROJECT", fact.subject]["open"] += 0
    for fact in facts.of("tasks.task.created"):
        key = (fact.org, "PROJECT", fact.data["project_id"])
        count(key, fact.data["status"], 1, fact.day)
        sums[key]["created"] += 1
    for sign, kind in ((1, "assigned"), (-1, "unassigned")):
        for fact in facts.of(f"tasks.task.{kind}"):
            key = (fact.org, "PERSON", fact.data["assignee_id"])
            count(key, fact.data["status"], sign)
            sums[key]["assigned"] += sign
    for fact in facts.of("tasks.task.status_changed"):
        keys = [(fact.org, "PROJECT", fact.data["project_id"])]
        keys += [(fact.org, "PERSON", user_id) for user_id in fact.data["assignee_ids"]]
        for key in keys:
            count(key, fact.data["previous_status"], -1, fact.day)
            count(key, fact.data["status"], 1, fact.day)
    return {key: {name: value for name, value in counters.items() if value} for key, counters in sums.items()}


@dataclass
class ExpectedNotifications:
    """In-app notifications and e-mails that follow from events: (event id, recipient) -> organization."""

    in_app: dict[tuple[str, str], str] = field(default_factory=dict)
    mails: dict[tuple[str, str], str] = field(default_factory=dict)


def notifications(facts: Facts) -> ExpectedNotifications:
    """Notifications and e-mails that must exist after all facts."""
    expected = ExpectedNotifications()
    for fact in facts.of("tasks.task.assigned"):
        user_id = fact.data["assignee_id"]
        if fact.data["assigned_by"] != user_id:
            expected.in_app[fact.id, user_id] = fact.org
            if "import_id" not in fact.data:
                expected.mails[fact.id, user_id] = fact.org
    for fact in facts.of("tasks.comment.added"):
        for user_id in set(fact.data["mentioned_ids"]) - {fact.data["author_id"]}:
            expected.in_app[fact.id, user_id] = expected.mails[fact.id, user_id] = fact.org
    for fact in facts.of("tasks.import.completed"):
        expected.in_app[fact.id, fact.data["requested_by"]] = fact.org
        for user_id in {fact.data["requested_by"], *fact.data["assigned"]}:
            expected.mails[fact.id, user_id] = fact.org
    for fact in facts.of("tenancy.invitation.created"):
        expected.mails[fact.id, fact.subject] = fact.org
    return expected


def nonzero(values: dict[str, Any]) -> dict[str, int]:
    """The counters of a row that are not 0."""
    return {name: value for name, value in values.items() if isinstance(value, int) and value}

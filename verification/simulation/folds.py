"""What projections must hold, computed from the events by other code than the services': slowly, and all at once."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from verification.simulation.facts import Fact, Facts

Membership = tuple[str, list[str], bool, int]
"""Role, what is granted beside it, still in, version."""
MEMBER_FACTS = tuple(f"tenancy.member.{what}" for what in ("added", "role_changed", "permissions_changed", "removed"))


STATE = ("slug", "name", "plan", "status", "allowed_origins")


def organizations(facts: Facts) -> dict[str, dict[str, Any]]:
    """What the newest event says of each organization."""
    newest: dict[str, Fact] = {}
    for fact in facts.of(*(f"tenancy.organization.{what}" for what in ("created", "plan_changed", "changed"))):
        if fact.org not in newest or newest[fact.org].version < fact.version:
            newest[fact.org] = fact
    return {org: fact.data["organization"] for org, fact in newest.items()}


def memberships(facts: Facts) -> dict[tuple[str, str], Membership]:
    """By organization and user: what the newest version says."""
    newest: dict[tuple[str, str], Membership] = {}
    for fact in facts.of(*MEMBER_FACTS):
        place, data = (fact.org, fact.subject), fact.data
        if place not in newest or newest[place][3] < fact.version:
            newest[place] = (data["role"], data["grants"], fact.type != "tenancy.member.removed.v1", fact.version)
    return newest


def held(row: dict[str, Any]) -> Membership:
    """What a projection holds of one."""
    return row["role"], row["grants"], row["active"], row["version"]


@dataclass
class TaskState:
    status: str
    assignees: list[str]
    version: int


def task_state(facts: list[Fact]) -> TaskState | str:
    """A task from all of its facts; or what is wrong with them."""
    facts = sorted(facts, key=lambda fact: (fact.version, fact.type != "tasks.task.created.v1", fact.id))
    if [fact.type for fact in facts].count("tasks.task.created.v1") != 1 or facts[0].version != 1:
        return "it was not created once"
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
    """Analytics' counters by organization, PROJECT or PERSON, and id; those that are 0 are left out."""
    sums: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def count(place: tuple[str, str, str], status: str, amount: int, day: str | None = None) -> None:
        sums[place]["done" if status == "done" else "open"] += amount
        if status == "done" and day:
            sums[place][f"done_on_{day}"] += amount

    for fact in facts.of("tasks.project.created"):
        sums[fact.org, "PROJECT", fact.subject]["open"] += 0
    for fact in facts.of("tasks.task.created"):
        place = (fact.org, "PROJECT", fact.data["project_id"])
        count(place, fact.data["status"], 1, fact.day)
        sums[place]["created"] += 1
    for sign, kind in ((1, "assigned"), (-1, "unassigned")):
        for fact in facts.of(f"tasks.task.{kind}"):
            place = (fact.org, "PERSON", fact.data["assignee_id"])
            count(place, fact.data["status"], sign)
            sums[place]["assigned"] += sign
    for fact in facts.of("tasks.task.status_changed"):
        places = [(fact.org, "PROJECT", fact.data["project_id"])]
        places += [(fact.org, "PERSON", user_id) for user_id in fact.data["assignee_ids"]]
        for place in places:
            count(place, fact.data["previous_status"], -1, fact.day)
            count(place, fact.data["status"], 1, fact.day)
    return {place: {name: value for name, value in found.items() if value} for place, found in sums.items()}


@dataclass
class Notices:
    """Whom events concern: (event id, recipient) of what stands in the product, of e-mails, and whose they are."""

    notes: dict[tuple[str, str], str] = field(default_factory=dict)
    mails: dict[tuple[str, str], str] = field(default_factory=dict)


def notices(facts: Facts) -> Notices:
    """By (event id, recipient): the organization."""
    found = Notices()
    for fact in facts.of("tasks.task.assigned"):
        user_id = fact.data["assignee_id"]
        if fact.data["assigned_by"] != user_id:
            found.notes[fact.id, user_id] = fact.org
            if "import_id" not in fact.data:
                found.mails[fact.id, user_id] = fact.org
    for fact in facts.of("tasks.comment.added"):
        for user_id in set(fact.data["mentioned_ids"]) - {fact.data["author_id"]}:
            found.notes[fact.id, user_id] = found.mails[fact.id, user_id] = fact.org
    for fact in facts.of("tasks.import.completed"):
        found.notes[fact.id, fact.data["requested_by"]] = fact.org
        for user_id in {fact.data["requested_by"], *fact.data["assigned"]}:
            found.mails[fact.id, user_id] = fact.org
    for fact in facts.of("tenancy.invitation.created"):
        found.mails[fact.id, fact.subject] = fact.org
    return found


def nonzero(values: dict[str, Any]) -> dict[str, int]:
    return {name: value for name, value in values.items() if isinstance(value, int) and value}

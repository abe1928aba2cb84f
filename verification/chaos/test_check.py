"""Tests of the checks of a chaos run: they must see what is missing, what is duplicated, and what is wrong."""

import copy
import io
import json
from collections import Counter
from typing import Any

import pytest

from verification.chaos.check import Finding, check_dead_letters, check_promises, compare_counts
from verification.chaos.client import Log
from verification.chaos.evidence import DeadLetter, Holdings
from verification.simulation.ledger import Command, Effect

ORG, TASK, PROJECT, USER, BY = "org_1", "task_1", "proj_1", "user_1", "user_2"
STATE = {"slug": "acme", "name": "Acme", "plan": "free", "status": "active", "allowed_origins": []}
NO_DEAD_LETTERS = Finding("dead letters", 0)


def event(at: int, type_: str, subject: str, version: int, **data: Any) -> tuple[str, str]:
    event_id = f"event{at}"
    raw = {
        "id": event_id,
        "type": type_,
        "orgid": ORG,
        "subject": subject,
        "aggregateversion": version,
        "actor": BY,
        "time": "2026-11-21T09:00:00Z",
        "data": data,
    }
    return event_id, json.dumps(raw)


def sample_events() -> dict[str, str]:
    task = {"task_id": TASK, "project_id": PROJECT, "title": "t1", "status": "open"}
    return dict(
        [
            event(1, "tasks.project.created.v1", PROJECT, 1, project_id=PROJECT, key="P", name="P"),
            event(2, "tasks.task.created.v1", TASK, 1, number=1, **task),
            event(3, "tasks.task.assigned.v1", TASK, 2, assignee_id=USER, assigned_by=BY, **task),
            event(4, "tenancy.member.added.v1", USER, 1, user_id=USER, role="member", grants=[]),
            event(5, "tenancy.organization.created.v1", ORG, 1, slug="acme", owner_id=BY, organization=STATE),
        ]
    )


def sample_log() -> Log:
    log = Log(io.StringIO())
    effects = [
        ("tenancy.organization.created.v1", "acme"),
        ("tasks.project.created.v1", "P"),
        ("tasks.task.created.v1", "t1"),
        ("tasks.task.assigned.v1", f"t1>{USER}"),
    ]
    for number, (type_, identity) in enumerate(effects, start=1):
        command = Command(number, "c", "t", "tasks", "POST", "/", None, [Effect(type_, identity)])
        command.acknowledged, command.tries = True, 1
        log.commands.append(command)
    return log


def sample_holdings() -> Holdings:
    facts = [json.loads(detail) for detail in sample_events().values()]
    records = [
        {"PK": f"ORG#{ORG}#RECORD#{f['id']}", "id": f["id"], "org_id": ORG, "action": f["type"], "actor": BY, "seq": at}
        for at, f in enumerate(facts, start=1)
    ]
    member: dict[str, Any] = {"PK": f"ORG#{ORG}#MEMBER#{USER}", "id": USER, "role": "member", "grants": []}
    member |= {"active": True, "version": 1}
    org = {"PK": f"ORG#{ORG}#ORGANIZATION", **STATE}
    task: dict[str, Any] = {
        "PK": f"ORG#{ORG}#TASK#{TASK}",
        "SK": "A",
        "id": TASK,
        "status": "open",
        "assignee_ids": [USER],
    }
    task |= {"version": 2, "project_id": PROJECT, "number": 1}
    notification = {"PK": f"ORG#{ORG}#NOTIFICATION#n", "event_id": "event3", "user_id": USER}
    unread = {"PK": f"ORG#{ORG}#UNREAD#{USER}", "user_id": USER, "unread": 1}
    project = {"PK": f"ORG#{ORG}#PROJECT#{PROJECT}", "project_id": PROJECT, "open": 1, "created": 1, "done": 0}
    person = {"PK": f"ORG#{ORG}#PERSON#{USER}", "user_id": USER, "open": 1, "assigned": 1}
    return Holdings(
        {
            "tenancy": [member, org],
            "tasks": [dict(member), task, dict(org)],
            "notify": [dict(member), notification, unread, dict(org)],
            "audit": [dict(member), *records, dict(org)],
            "analytics": [dict(member), project, person, dict(org)],
        },
        mails=Counter({f"event3.{USER}": 2}),
    )


def check(log: Log, events: dict[str, str], holdings: Holdings) -> dict[str, Finding]:
    return {each.name: each for each in check_promises(log, events, holdings, NO_DEAD_LETTERS)}


def test_a_good_end_is_good() -> None:
    assert all(each.good for each in check(sample_log(), sample_events(), sample_holdings()).values())


@pytest.mark.parametrize("lost", ["event1", "event2", "event3"])
def test_an_acknowledged_command_without_its_event_is_lost(lost: str) -> None:
    events = sample_events()
    del events[lost]
    assert len(check(sample_log(), events, sample_holdings())["commands"].lost) == 1


def test_a_command_done_twice_is_seen() -> None:
    events = sample_events()
    again = {**json.loads(events["event2"]), "id": "event9", "subject": "task_9"}
    events["event9"] = json.dumps(again)
    assert len(check(sample_log(), events, sample_holdings())["commands"].duplicated) == 1


def test_an_effect_without_a_command_is_seen() -> None:
    log = sample_log()
    log.commands.pop()
    assert check(log, sample_events(), sample_holdings())["commands"].duplicated


def test_a_refused_command_must_not_be_done_unless_a_try_had_no_answer() -> None:
    log = sample_log()
    command = log.commands[-1]
    command.acknowledged, command.refused = False, 422
    assert check(log, sample_events(), sample_holdings())["commands"].duplicated
    command.tries = 2
    assert check(log, sample_events(), sample_holdings())["commands"].good


AFFECTED = {
    "tenancy": ["organizations", "memberships"],
    "tasks": ["organizations", "memberships", "tasks"],
    "notify": ["organizations", "memberships", "notifications", "unread counters"],
    "audit": ["organizations", "memberships", "audit records"],
    "analytics": ["organizations", "memberships", "figures"],
}


@pytest.mark.parametrize(
    ("service", "at"), [(name, at) for name, items in sample_holdings().items.items() for at in range(len(items))]
)
def test_every_item_that_is_missing_is_seen(service: str, at: int) -> None:
    holdings = sample_holdings()
    del holdings.items[service][at]
    bad = [name for name, each in check(sample_log(), sample_events(), holdings).items() if each.lost]
    assert bad, f"{sample_holdings().items[service][at]} can be missing"
    assert set(bad) <= set(AFFECTED[service])


@pytest.mark.parametrize(
    ("service", "at", "name", "promise"),
    [
        ("notify", 2, "unread", "unread counters"),
        ("analytics", 1, "created", "figures"),
        ("analytics", 2, "assigned", "figures"),
    ],
)
def test_a_counter_too_high_is_duplicated(service: str, at: int, name: str, promise: str) -> None:
    holdings = sample_holdings()
    holdings.items[service][at][name] += 1
    finding = check(sample_log(), sample_events(), holdings)[promise]
    assert (len(finding.duplicated), finding.lost) == (1, [])


@pytest.mark.parametrize(("service", "at", "promise"), [("notify", 1, "notifications"), ("audit", 1, "audit records")])
def test_a_doubled_item_is_duplicated(service: str, at: int, promise: str) -> None:
    holdings = sample_holdings()
    holdings.items[service].append(copy.copy(holdings.items[service][at]))
    assert len(check(sample_log(), sample_events(), holdings)[promise].duplicated) == 1


@pytest.mark.parametrize(
    ("service", "at", "change", "promise"),
    [
        ("tasks", 1, {"status": "done"}, "tasks"),
        ("tasks", 1, {"version": 3}, "tasks"),
        ("tasks", 1, {"number": 2}, "tasks"),
        ("audit", 1, {"action": "other"}, "audit records"),
        ("audit", 1, {"seq": None}, "audit records"),
        ("notify", 0, {"role": "owner"}, "memberships"),
        ("notify", 0, {"grants": ["x"]}, "memberships"),
        ("notify", 3, {"status": "suspended"}, "organizations"),
    ],
)
def test_a_wrong_state_is_seen(service: str, at: int, change: dict[str, Any], promise: str) -> None:
    holdings = sample_holdings()
    holdings.items[service][at] |= change
    assert check(sample_log(), sample_events(), holdings)[promise].wrong


def test_mails_are_counted_by_distinct_id() -> None:
    holdings = sample_holdings()
    holdings.mails.clear()
    assert check(sample_log(), sample_events(), holdings)["e-mails"].lost
    holdings.mails["event9.user_9"] = 1
    assert check(sample_log(), sample_events(), holdings)["e-mails"].duplicated


def test_an_outbox_that_is_not_empty_is_seen() -> None:
    holdings = sample_holdings()
    holdings.items["tasks"].append({"PK": "OUTBOX#1", "SK": "event9"})
    assert check(sample_log(), sample_events(), holdings)["outbox empty"].wrong


def sample_dead_letter(source: str, *, queue: str = "q", reason: str = "not JSON", event_id: str = "e") -> DeadLetter:
    return DeadLetter(queue, json.dumps({"detail": {"id": event_id}}), source, reason)


def test_dead_letters_are_exactly_the_poison() -> None:
    sent, on_bus = {"q": {"m1", "m2"}}, {"q": {"event1"}}
    right = [
        sample_dead_letter("m1"),
        sample_dead_letter("m2"),
        sample_dead_letter("m2"),
        sample_dead_letter("m3", event_id="event1"),
    ]
    assert check_dead_letters(sent, on_bus, right).good
    assert check_dead_letters(sent, on_bus, right[1:]).lost == ["m1 in q"]
    assert check_dead_letters(sent, on_bus, right[:-1]).lost == ["event1 in q"]
    assert "healthy" in check_dead_letters(sent, on_bus, [*right, sample_dead_letter("m9")]).wrong[0]
    assert "healthy" in check_dead_letters(sent, on_bus, [*right, sample_dead_letter("m1", queue="other")]).wrong[0]
    assert "no reason" in check_dead_letters(sent, on_bus, [sample_dead_letter("m1", reason=""), *right]).wrong[0]


def test_one_too_many_does_not_hide_one_too_few() -> None:
    finding = compare_counts("x", {"a": 1, "b": 1}, {"a": 2})
    assert (finding.lost, finding.duplicated) == (["b"], ["a"])

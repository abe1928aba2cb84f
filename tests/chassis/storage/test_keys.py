"""Keys, whose format stored data depends on."""

from collections import Counter

import pytest

from chassis.clock import SystemIds, oldest_id_at
from chassis.storage.keys import Key, inbox_key, outbox_key, shard_of, token_key, unique_key, work_pk
from chassis.testing.memory import MemoryTable
from chassis.testing.service import CountingIds, FakeBus, FakeClock
from chassis.work.context import Actor, Cause, ServiceContext
from chassis.work.outbox import SHARDS, Outbox
from chassis.work.scope import OrgScope, Scope


@pytest.fixture
def scope() -> OrgScope:
    table, clock = MemoryTable(), FakeClock()
    context = ServiceContext("tasks", table, Outbox(table, FakeBus(), clock), clock, CountingIds())
    return OrgScope(context, Actor("user_ada"), Cause("request"), "org_acme")


def test_shards_never_change() -> None:
    """Data in a shard must be found there years later and by every version."""
    assert [shard_of(value, 4) for value in ("a", "b", "c", "event", "ü")] == [1, 3, 0, 2, 2]


def test_shards_are_all_used() -> None:
    ids = SystemIds()
    used = Counter(shard_of(ids.new("task"), SHARDS) for _ in range(2000))
    assert sorted(used) == list(range(SHARDS))
    assert min(used.values()) > 300


def test_the_families_of_keys() -> None:
    assert outbox_key(3, "id") == Key("OUTBOX#3", "id")
    assert inbox_key("notify.assignments", "id") == Key("INBOX#notify.assignments#id", "A")
    assert unique_key("slug", "acme") == Key("UNIQUE#slug#acme", "A")
    assert token_key("digest") == Key("TOKEN#digest", "A")
    assert work_pk("UNSEALED", 2) == "WORK#UNSEALED#2"


def test_a_scope_makes_only_keys_of_its_owner(scope: OrgScope) -> None:
    mine, theirs, person = scope, scope.for_org("org_other"), scope.for_user("user_bo")

    def named(of: Scope) -> list[str]:
        return [of.key("TASK", "1").pk, of.key("SETTINGS").pk, of.entry(1, "TASKS", "s").pk]

    assert named(mine) == ["ORG#org_acme#TASK#1", "ORG#org_acme#SETTINGS", "ORG#org_acme#TASKS"]
    assert named(theirs) == ["ORG#org_other#TASK#1", "ORG#org_other#SETTINGS", "ORG#org_other#TASKS"]
    assert named(person) == ["USER#user_bo#TASK#1", "USER#user_bo#SETTINGS", "USER#user_bo#TASKS"]


def test_events_of_a_person_belong_to_their_organization_or_to_the_system(scope: OrgScope) -> None:
    person = scope.for_user("user_bo")
    assert (person.event_org, person.in_org("org_acme").event_org) == ("org_system", "org_acme")


def test_ids_sort_by_their_time() -> None:
    ids, clock = SystemIds(), FakeClock()
    made = [ids.new("task") for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000
    early = oldest_id_at(clock.now())
    clock.advance(milliseconds=1)
    assert oldest_id_at(clock.now()) > early
    assert len(early) == len(ids.new()) == 32

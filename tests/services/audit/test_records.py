"""The record of an event."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.errors import Rejected
from chassis.messaging.dispatch import Delivery, Dispatcher
from chassis.testing.service import ACME, ServiceUnderTest
from contracts.catalog import load_all
from contracts.common import SYSTEM_ORG, Role
from contracts.identity import v1 as identity
from contracts.tenancy import v1 as tenancy
from services.audit.records.consumers import trail

TOKEN = "the-secret-token"


def envelope(event_type: str = "tasks.task.assigned.v1", **overrides: Any) -> dict[str, Any]:
    source = "tenfold." + event_type.split(".", maxsplit=1)[0]
    detail = {
        "id": "event1",
        "source": source,
        "type": event_type,
        "time": "2026-11-21T08:59:58.25+02:00",
        "subject": "task_1",
        "dataschema": "x",
        "orgid": ACME,
        "actor": "user_ada",
        "aggregateversion": 3,
        "correlationid": "request1",
        "causationid": "event0",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "clientip": "192.0.2.7",
        "useragent": "curl/8",
        "data": {"task_id": "task_1", "title": "Grüße 🙂", "weight": 0.1},
        **overrides,
    }
    return {"source": source, "detail-type": event_type, "detail": detail}


async def test_a_record_says_who_did_what_when_and_from_where(audit: Any) -> None:
    await audit.deliver_raw(trail, envelope())
    item = audit.stored("event1")
    kept = {name: item.get(name) for name in item if not name.startswith(("L", "PK", "SK"))}
    assert kept == {
        "id": "event1",
        "version": 1,
        "org_id": ACME,
        "at": "2026-11-21T06:59:58.250000Z",
        "recorded_at": "2026-11-21T09:00:00.000000Z",
        "actor": "user_ada",
        "action": "tasks.task.assigned.v1",
        "resource_kind": "task",
        "resource_id": "task_1",
        "data": '{"task_id":"task_1","title":"Grüße 🙂","weight":0.1}',
        "client_ip": "192.0.2.7",
        "user_agent": "curl/8",
        "correlation_id": "request1",
        "causation_id": "event0",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
    }


async def test_history_fed_in_again_after_the_claims_are_forgotten_changes_nothing(audit: Any) -> None:
    """Otherwise a replay of events whose claims have expired would make a dead letter of each."""
    await audit.deliver_raw(trail, envelope())
    before = audit.stored("event1")
    claims = [key for key in audit.items if key.pk.startswith("INBOX#")]
    assert claims
    for key in claims:
        del audit.items[key]
    await audit.deliver_raw(trail, envelope())
    assert audit.stored("event1") == before


async def test_an_event_that_names_no_time_zone_is_taken_as_utc(audit: Any) -> None:
    await audit.deliver_raw(trail, envelope(time="2026-11-21T08:00:00"))
    assert audit.stored("event1")["at"] == "2026-11-21T08:00:00.000000Z"


async def test_a_repeated_delivery_is_recorded_once(audit: Any) -> None:
    await audit.deliver_raw(trail, envelope())
    before = dict(audit.items)
    audit.clock.advance(seconds=5)
    await audit.deliver_raw(trail, envelope(), receive_count=2)
    assert audit.items == before


async def test_another_event_with_the_same_content_is_another_record(audit: Any) -> None:
    """The control of the test above."""
    await audit.deliver_raw(trail, envelope())
    await audit.deliver_raw(trail, envelope(id="event2"))
    assert len(audit.records()) == 2


async def test_a_repetition_after_sealing_leaves_the_sealed_record_alone(audit: Any) -> None:
    await audit.deliver_raw(trail, envelope())
    await audit.seal()
    await audit.deliver_raw(trail, envelope(), receive_count=2)
    await audit.seal()
    assert (await audit.verify()).sealed == 1
    assert audit.stored("event1")["seq"] == 1


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
async def test_records_are_in_the_order_of_their_events_however_they_arrive(audit: Any, order: tuple[int, ...]) -> None:
    for number in order:
        await audit.deliver_raw(trail, envelope(id=f"event{number}", time=f"2026-11-21T08:00:0{number}Z"))
    await audit.seal()
    async with audit.client() as client:
        shown = (await client.get("/v1/audit/records")).json()["items"]
    assert [(each["id"], each["seq"]) for each in shown] == [("event3", 3), ("event2", 2), ("event1", 1)]
    assert (await audit.verify()).valid


async def test_secret_fields_are_nowhere_in_the_table(audit: Any) -> None:
    invitation = tenancy.InvitationCreated(
        invitation_id="inv_1",
        email="bo@acme.example",
        role=Role.MEMBER,
        org_name="Acme",
        inviter_id="user_ada",
        inviter_name="Ada",
        token=TOKEN,
        expires_at=datetime(2026, 12, 1, tzinfo=UTC),
    )
    await audit.deliver(trail, invitation)
    await audit.seal()
    assert len(audit.records()) == 1
    assert TOKEN not in repr(audit.items)
    assert "bo@acme.example" in repr(audit.items)


async def test_of_a_type_that_is_not_known_yet_only_the_fact_is_kept(audit: Any) -> None:
    await audit.deliver_raw(trail, envelope("tasks.task.archived.v9", data={"password": TOKEN}))
    item = audit.stored("event1")
    assert (item["action"], item["resource_kind"], item["data"]) == ("tasks.task.archived.v9", "task", "{}")
    assert TOKEN not in repr(audit.items)


async def test_every_contract_is_known_so_that_its_secrets_are(audit: Any) -> None:
    for event_type, event in load_all().items():
        data = {name: f"value of {name}" for name in event.model_fields}
        await audit.deliver_raw(trail, envelope(event_type, id=event_type, data=data))
        kept = set(json.loads(audit.stored(event_type)["data"]))
        assert kept == set(event.model_fields) - event.secret_fields(), event_type


def test_a_process_that_imports_nothing_else_knows_every_contract() -> None:
    script = "import services.audit.records.consumers; from contracts.event import REGISTRY; print(*sorted(REGISTRY))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == sorted(load_all())


async def test_what_belongs_to_no_organization_is_recorded_and_sealed_too(audit: Any) -> None:
    failed = identity.SignInFailed(email="eve@evil.example", reason="wrong_credentials")
    event_id = await audit.deliver(trail, failed, org_id=SYSTEM_ORG, actor="system")
    await audit.seal()
    item = audit.stored(event_id, org_id=SYSTEM_ORG)
    assert (item["resource_kind"], item["resource_id"], item["seq"]) == ("sign_in", "eve@evil.example", 1)
    outcome = await audit.verify(SYSTEM_ORG)
    assert (outcome.valid, outcome.sealed, outcome.unsealed) == (True, 1, 0)


async def test_an_event_of_a_service_that_does_not_own_it_is_refused(audit: ServiceUnderTest) -> None:
    forged = envelope()
    forged["source"] = forged["detail"]["source"] = "tenfold.notify"
    with pytest.raises(Rejected):
        await audit.deliver_raw(trail, forged)


async def test_a_body_that_is_not_an_event_is_refused_and_leaves_nothing(audit: Any) -> None:
    with pytest.raises(Rejected):
        await Dispatcher(audit.context, trail).handle(Delivery(b"not json", "message"))
    assert audit.items == {}

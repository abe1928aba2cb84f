"""Dead letters: peeking takes nothing out, a redrive has no effect twice, and a drop is recorded first."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.declare.resource_names import Names
from chassis.declare.subscription import AnySubscription
from chassis.storage.table import WriteOperation
from chassis.testing.memory import MemoryTable
from chassis.testing.service import ServiceUnderTest
from contracts.event import Envelope
from deploy.dead_letters.edit import merge_patch, read_patch
from deploy.dead_letters.letter import NO_REASON, DeadLetter, DeadLetterFilter
from deploy.dead_letters.queue import DeadLetterQueue, dead_letter_queue, peek_into_all
from deploy.dead_letters.redrive import Pace, drop, redrive
from deploy.dead_letters.target import OperatedStage
from deploy.errors import RefusedError, StackError
from services.analytics.figures.consumers import figures
from services.analytics.service import service as analytics
from tests.deploy.memory_aws import MemoryAws, refusal

QUEUE = "http://sqs/1/tenfold-test-analytics-figures"
DEAD = f"{QUEUE}-dlq"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FAST = Pace(rate=100, pause=lambda _: None)


def body(number: int, org: str = "org_acme", **data: Any) -> str:
    """A task was created, `number` minutes after noon."""
    task = {
        "task_id": f"task_{number}",
        "project_id": "proj_1",
        "number": number,
        "title": "T",
        "status": "open",
        "priority": "low",
    }
    envelope = Envelope(
        id=f"event{number}",
        source="tenfold.tasks",
        type="tasks.task.created.v1",
        time=NOON + timedelta(minutes=number),
        subject=f"task_{number}",
        dataschema="x",
        orgid=org,
        actor="user_ada",
        aggregateversion=1,
        correlationid="c",
        traceparent=f"00-{'a' * 32}-{'b' * 16}-01",
        data={**task, **data},
    )
    detail = envelope.model_dump(mode="json", exclude_none=True)
    return json.dumps({"source": envelope.source, "detail-type": envelope.type, "detail": detail})


def dead_letter_of(text: str, **attributes: str) -> DeadLetter:
    message_attributes = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    return DeadLetter("analytics.figures", "m", "r", text, message_attributes, 1, NOON)


class Account:
    """The queues of analytics' figures, and what went where."""

    def __init__(self) -> None:
        self.aws = MemoryAws("tenfold-test-analytics-figures", "tenfold-test-analytics-figures-dlq")
        self.stage = OperatedStage(self.aws, Names("test"), "ann")

    @property
    def queue(self) -> DeadLetterQueue:
        return dead_letter_queue(self.stage, "analytics.figures")

    def bury(self, text: str, reason: str = "no", source: str = "first") -> None:
        given = {"Reason": reason, "SourceMessageId": source}
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in given.items()}
        self.aws.sqs.send_message(QueueUrl=DEAD, MessageBody=text, MessageAttributes=attributes)

    def ids(self) -> list[str]:
        return [one.message_id for one in self.queue.peek()]

    def sent(self) -> list[dict[str, Any]]:
        return [json.loads(one.body) for one in self.aws.sqs.queues[QUEUE].values()]


@pytest.fixture
def account() -> Account:
    return Account()


# --- peeking


def test_peeking_takes_nothing_out(account: Account) -> None:
    for number in range(25):
        account.bury(body(number))
    assert len(account.ids()) == len(set(account.ids())) == 25
    assert {name: len(found) for name, found in peek_into_all(account.stage).items()} == {"analytics.figures": 25}
    assert all(one.hidden_until <= account.aws.sqs.now for one in account.aws.sqs.queues[DEAD].values())


def test_an_interrupted_peek_gives_back_what_it_had(account: Account) -> None:
    for number in range(25):
        account.bury(body(number))
    calls: list[str] = []

    def interrupt(operation: str) -> None:
        calls.append(operation)
        if operation == "receive_message" and len(calls) > 2:
            raise KeyboardInterrupt

    account.aws.sqs.fail = interrupt
    with pytest.raises(KeyboardInterrupt):
        account.queue.peek()
    assert all(one.hidden_until <= account.aws.sqs.now for one in account.aws.sqs.queues[DEAD].values())


def test_an_unknown_subscription_names_the_existing_ones(account: Account) -> None:
    with pytest.raises(RefusedError, match=r"no subscription 'notify\.x'; there are analytics\.figures"):
        dead_letter_queue(account.stage, "notify.x")
    with pytest.raises(RefusedError, match="is it deployed"):
        peek_into_all(OperatedStage(MemoryAws(), Names("test")))


def test_a_dead_letter_has_its_organization_and_its_cause() -> None:
    dead_letter = dead_letter_of(body(1), Reason="task_1 is unknown after 5 receives", SourceMessageId="m0")
    assert (dead_letter.org, dead_letter.type, dead_letter.event_id) == ("org_acme", "tasks.task.created.v1", "event1")
    assert (dead_letter.trace_id, dead_letter.source_id) == ("a" * 32, "m0")
    assert (dead_letter.cause, dead_letter.kind_of_cause) == (
        "task_1 is unknown after 5 receives",
        "… is unknown after … receives",
    )
    by_rule = dead_letter_of(body(1), ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="denied")
    assert by_rule.cause == "NO_PERMISSIONS: denied"
    unexplained = dead_letter_of("no JSON")
    assert (unexplained.cause, unexplained.org, unexplained.type, unexplained.source_id) == (
        NO_REASON,
        "org_system",
        "",
        "m",
    )


def test_a_forged_dead_letter_does_not_count_for_the_organization_that_it_names() -> None:
    forged = json.loads(body(1))
    forged["source"] = "tenfold.tenancy"
    assert dead_letter_of(json.dumps(forged)).org == "org_system"


def test_a_secret_is_not_shown() -> None:
    """The token of an invitation would let anybody in who reads over an operator's shoulder."""
    invited = {"detail-type": "tenancy.invitation.created.v1", "detail": {"data": {"token": "t0ken", "email": "a@b.c"}}}
    dead_letter = dead_letter_of(json.dumps(invited))
    assert "t0ken" not in json.dumps(dead_letter.as_json())
    assert "a@b.c" in json.dumps(dead_letter.as_json())
    assert dead_letter_of("no JSON").visible_body == "no JSON"


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (DeadLetterFilter(), True),
        (DeadLetterFilter(org="org_acme", type="tasks.task.created.v1", cause="NOT KNOWN"), True),
        (DeadLetterFilter(org="org_other"), False),
        (DeadLetterFilter(type="tasks.task.created.v2"), False),
        (DeadLetterFilter(cause="down"), False),
    ],
)
def test_selection(wanted: DeadLetterFilter, *, chosen: bool) -> None:
    assert wanted(dead_letter_of(body(1), Reason="not known")) is chosen


# --- sending back


def test_a_redrive_keeps_the_order_the_identity_and_the_pace(account: Account) -> None:
    for number in (3, 1, 2):
        account.bury(body(number), source=f"source{number}")
    account.bury(body(9))
    pauses: list[float] = []
    chosen = [one.message_id for one in account.queue.peek() if one.event_id != "event9"]
    assert redrive(account.queue, chosen, None, Pace(rate=4, pause=pauses.append)) == 3
    assert [one["detail"]["id"] for one in account.sent()] == ["event1", "event2", "event3"]
    assert pauses == [0.25, 0.25]
    again = list(account.aws.sqs.queues[QUEUE].values())
    assert [one.attributes["SourceMessageId"]["StringValue"] for one in again] == ["source1", "source2", "source3"]
    assert all(one.attributes.keys() == {"SourceMessageId"} and one.group == "org_acme" for one in again)
    assert [one.event_id for one in account.queue.peek()] == ["event9"]
    (entry,) = account.aws.events.entries
    data = json.loads(entry["Detail"])["data"]
    assert (entry["DetailType"], data["count"], data["edited"]) == ("operations.letters.redriven.v1", 3, False)


class Forgetful(MemoryTable):
    """A table that keeps no claims, like redriving without the inbox."""

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        await super().write([one for one in operations if not one.key.pk.startswith("INBOX#")])


async def created(table: MemoryTable, account: Account) -> int:
    """How many tasks analytics counts, having handled what was sent to its queue."""
    under_test, subscription = ServiceUnderTest(analytics, table=table), figures
    for message in account.sent():
        await handle(under_test, subscription, message)
    (row,) = [item for key, item in table.items.items() if "#PROJECT#" in key.pk]
    return int(row["created"])


async def handle(under_test: ServiceUnderTest, subscription: AnySubscription, message: dict[str, Any]) -> None:
    try:
        await under_test.deliver_raw(subscription, message)
    except Exception as error:  # noqa: BLE001
        pytest.fail(f"{message['detail']['id']}: {error!r}")


@pytest.mark.parametrize(("table", "counted"), [(MemoryTable, 2), (Forgetful, 4)], ids=["inbox", "without inbox"])
async def test_a_second_redrive_changes_nothing(account: Account, table: type[MemoryTable], counted: int) -> None:
    """A crash between sending and deleting, and then everything again."""
    account.bury(body(1))
    account.bury(body(2))

    def crash(operation: str) -> None:
        if operation == "delete_message":
            raise refusal(operation)

    account.aws.sqs.fail = crash
    for _ in range(2):
        chosen = account.ids()
        with pytest.raises(StackError, match="cannot delete"):
            redrive(account.queue, chosen[:1], None, FAST)
        with pytest.raises(StackError, match="cannot delete"):
            redrive(account.queue, chosen[1:], None, FAST)
    assert len(account.ids()) == 2, "what was not deleted is lost"
    assert len(account.sent()) == 4
    assert await created(table(), account) == counted


def test_an_edit_is_checked_before_anything_moves(account: Account) -> None:
    account.bury(body(1))
    account.bury(body(2))
    with pytest.raises(RefusedError, match=r"does not match tasks\.task\.created\.v1: status"):
        redrive(account.queue, account.ids(), {"status": "lost"}, FAST)
    assert (account.sent(), account.aws.events.entries, len(account.ids())) == ([], [], 2)
    redrive(account.queue, account.ids(), {"status": "done", "title": "New"}, FAST)
    assert [one["detail"]["id"] for one in account.sent()] == ["event1", "event2"]
    assert {one["detail"]["data"]["status"] for one in account.sent()} == {"done"}
    assert json.loads(account.aws.events.entries[0]["Detail"])["data"]["edited"] is True


def test_a_dead_letter_that_is_not_an_event_cannot_be_edited(account: Account) -> None:
    account.bury("no JSON")
    with pytest.raises(RefusedError, match="not an event of a known type"):
        redrive(account.queue, account.ids(), {"a": 1}, FAST)


def test_merge_patch_is_that_of_the_standard() -> None:
    assert merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": [4]}, "e": 5}) == {
        "b": {"c": [4], "d": 3},
        "e": 5,
    }
    for wrong, said in (("[1]", "neither"), ("{x", "not JSON"), ("/nonexistent", "neither")):
        with pytest.raises(RefusedError, match=said):
            read_patch(wrong)


# --- giving up


def test_a_drop_is_recorded_for_each_organization(account: Account) -> None:
    for number, org in ((1, "org_acme"), (2, "org_acme"), (3, "org_other")):
        account.bury(body(number, org))
    assert drop(account.queue, account.ids(), "test data") == 3
    assert account.ids() == []
    records = [json.loads(entry["Detail"]) for entry in account.aws.events.entries]
    assert [(each["orgid"], each["data"]["count"], each["data"]["reason"]) for each in records] == [
        ("org_acme", 2, "test data"),
        ("org_other", 1, "test data"),
    ]
    assert all(each["actor"] == each["data"]["operator"] == "ann" for each in records)


def test_nothing_is_dropped_that_cannot_be_recorded(account: Account) -> None:
    account.bury(body(1))
    account.aws.events.refuses = True
    with pytest.raises(StackError, match="nothing was done: too much"):
        drop(account.queue, account.ids(), "why")
    assert len(account.ids()) == 1


def test_a_drop_repeated_after_a_crash_is_the_same_record(account: Account) -> None:
    account.bury(body(1))

    def crash(operation: str) -> None:
        if operation == "delete_message":
            raise refusal(operation)

    account.aws.sqs.fail = crash
    with pytest.raises(StackError):
        drop(account.queue, account.ids(), "why")
    account.aws.sqs.fail = lambda _: None
    drop(account.queue, account.ids(), "why")
    first, second = (json.loads(one["Detail"])["id"] for one in account.aws.events.entries)
    assert first == second
    assert account.ids() == []

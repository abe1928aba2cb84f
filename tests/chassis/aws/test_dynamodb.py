"""DynamoTable's handling of failures, which no backend of the conformance suite produces on demand."""

from collections.abc import Mapping
from typing import Any

import pytest

from awsjson import AwsError, CancellationReason, ConnectionFailed, DeadlineExceeded, Throttled, TransactionCancelled
from chassis.aws.dynamodb import DynamoTable
from chassis.errors import Unavailable
from chassis.storage.keys import Key
from chassis.storage.table import Absent, ConditionRefused, Put

PUT = Put(Key("THING"), {}, Absent())


class Scripted:
    """A client that answers each call with the next entry of its script, or raises it if it is an error."""

    def __init__(self, *script: dict[str, Any] | Exception) -> None:
        self.script = list(script)
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]:
        assert service == "dynamodb"
        assert timeout is not None, "every call has a deadline"
        self.calls.append((operation, params))
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def cancellation(*codes: str) -> TransactionCancelled:
    return TransactionCancelled(reasons=tuple(CancellationReason(code) for code in codes))


async def test_endless_conflicts_are_unavailability() -> None:
    """The client has retried already, within its budget: no code around it retries again."""
    calls = Scripted(cancellation("TransactionConflict", "None"))
    with pytest.raises(Unavailable, match="same records"):
        await DynamoTable(calls, "things").write([PUT])
    assert len(calls.calls) == 1


async def test_a_failed_condition_takes_precedence_over_a_conflict() -> None:
    calls = Scripted(cancellation("TransactionConflict", "ConditionalCheckFailed", "None", "ConditionalCheckFailed"))
    with pytest.raises(ConditionRefused) as refused:
        await DynamoTable(calls, "things").write([PUT])
    assert refused.value.positions == (1, 3)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionFailed(),
        DeadlineExceeded(),
        Throttled("ProvisionedThroughputExceededException"),
        AwsError("InternalServerError", status=500),
    ],
)
async def test_a_store_that_does_not_answer_is_unavailability(error: AwsError) -> None:
    table = DynamoTable(Scripted(error, error, error, error), "things")
    with pytest.raises(Unavailable):
        await table.get(PUT.key)
    with pytest.raises(Unavailable):
        await table.query("THING")
    with pytest.raises(Unavailable):
        await table.write([PUT])
    with pytest.raises(Unavailable):
        await table.discard([PUT.key])


@pytest.mark.parametrize("error", [AwsError("ValidationException", status=400), cancellation("ValidationError")])
async def test_a_mistake_of_ours_is_not_hidden_as_unavailability(error: AwsError) -> None:
    with pytest.raises(type(error)) as raised:
        await DynamoTable(Scripted(error), "things").write([PUT])
    assert raised.value is error


async def test_unprocessed_deletes_are_in_the_next_batch() -> None:
    left = [{"DeleteRequest": {"Key": {"PK": {"S": "THING"}, "SK": {"S": "2"}}}}]
    calls = Scripted({"UnprocessedItems": {"things": left}}, {"UnprocessedItems": {}})
    await DynamoTable(calls, "things").discard([Key("THING", "1"), Key("THING", "2")])
    assert [params["RequestItems"]["things"] for _, params in calls.calls][1] == left


async def test_reads_by_key_are_consistent_and_lists_are_read_by_their_gsi() -> None:
    calls = Scripted({}, {"Items": []}, {"Items": []})
    table = DynamoTable(calls, "things")
    await table.get(Key("THING"))
    await table.query("THING")
    await table.query("THINGS", index=2)
    assert [params.get("ConsistentRead") for _, params in calls.calls] == [True, True, None]
    assert [params.get("IndexName") for _, params in calls.calls] == [None, None, "list2"]


async def test_unprocessed_keys_are_read_again() -> None:
    one, other = ({"PK": {"S": "P"}, "SK": {"S": name}} for name in "ab")
    calls = Scripted(
        {"Responses": {"things": [other]}, "UnprocessedKeys": {"things": {"Keys": [one], "ConsistentRead": True}}},
        {"Responses": {"things": [one]}, "UnprocessedKeys": {}},
    )
    found = await DynamoTable(calls, "things").get_all([Key("P", "a"), Key("P", "b")])
    assert [item and item["SK"] for item in found] == ["a", "b"]
    assert [params["RequestItems"]["things"]["Keys"] for _, params in calls.calls] == [[one, other], [one]]
    assert all(params["RequestItems"]["things"]["ConsistentRead"] for _, params in calls.calls)


async def test_endless_unprocessed_keys_are_unavailability(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.resilience.retry.random.uniform", lambda *_: 0)
    left = {"Responses": {}, "UnprocessedKeys": {"things": {"Keys": [{"PK": {"S": "P"}, "SK": {"S": "a"}}]}}}
    with pytest.raises(Unavailable):
        await DynamoTable(Scripted(*[left] * 8), "things").get_all([Key("P", "a")])

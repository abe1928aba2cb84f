"""The Table port on DynamoDB."""

from collections.abc import Mapping, Sequence
from typing import Any

from awsjson import AwsError, ConditionFailed, ConnectionFailed, DeadlineExceeded, Throttled, TransactionCancelled
from chassis.aws.client import AwsCalls
from chassis.declare.resource_names import index_name
from chassis.errors import Unavailable
from chassis.resilience.retry import RetryPolicy, retry
from chassis.storage.attribute_values import from_item, to_attribute, to_item
from chassis.storage.keys import Key
from chassis.storage.rate_limit_store import CounterLevels, effective_level
from chassis.storage.table import (
    FIRST_ITEMS,
    Absent,
    Add,
    AtVersion,
    Check,
    ConditionRefused,
    Delete,
    Expect,
    Item,
    OlderThan,
    Put,
    Range,
    WriteOperation,
    check_operations,
)

READ_TIMEOUT = 5.0
WRITE_TIMEOUT = 8.0
UNPROCESSED_POLICY = RetryPolicy(tries=8, first=0.05, longest=6.4)
"""For the part of a batch that DynamoDB left undone."""
LEVEL_TRIES = 6
"""A refusal tells what was guessed wrongly, and counters seldom go from idle to busy: nearly always two are enough."""
BATCH = 25


class _Unprocessed(Unavailable):
    """DynamoDB did only a part of a batch."""

    def __init__(self) -> None:
        super().__init__("The store does not answer; try again.")


class DynamoTable:
    """One service's table."""

    def __init__(self, calls: AwsCalls, name: str) -> None:
        self._calls, self._name = calls, name

    async def get(self, key: Key) -> Item | None:
        answer = await self._call(
            "GetItem", {"TableName": self._name, "Key": _key(key), "ConsistentRead": True}, READ_TIMEOUT
        )
        return from_item(answer["Item"]) if "Item" in answer else None

    async def get_all(self, keys: Sequence[Key]) -> list[Item | None]:
        found: dict[tuple[str, str], Item] = {}
        wanted = [_key(key) for key in keys]

        async def ask() -> None:
            nonlocal wanted
            asked = {self._name: {"Keys": wanted, "ConsistentRead": True}}
            answer = await self._call("BatchGetItem", {"RequestItems": asked}, READ_TIMEOUT)
            items = map(from_item, answer.get("Responses", {}).get(self._name, []))
            found.update({(item["PK"], item["SK"]): item for item in items})
            wanted = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            if wanted:
                raise _Unprocessed

        await retry(ask, UNPROCESSED_POLICY, on=lambda error: isinstance(error, _Unprocessed))
        return [found.get((key.pk, key.sk)) for key in keys]

    async def query(self, pk: str, within: Range = FIRST_ITEMS, *, index: int | None = None) -> list[Item]:
        after, before = within.after, within.before
        if after is not None and before is not None and after >= before:
            return []  # DynamoDB refuses a BETWEEN whose ends are the wrong way round
        prefix = f"L{index}" if index else ""
        condition, values = "#p = :p", {":p": {"S": pk}}
        # DynamoDB allows one condition on the sort key: BETWEEN includes its ends, which are dropped below.
        if after is not None and before is not None:
            condition += " AND #s BETWEEN :a AND :b"
        elif after is not None:
            condition += " AND #s > :a"
        elif before is not None:
            condition += " AND #s < :b"
        values |= {name: {"S": bound} for name, bound in ((":a", after), (":b", before)) if bound is not None}
        params = {
            "TableName": self._name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": {"#p": f"{prefix}PK"} | ({"#s": f"{prefix}SK"} if "#s" in condition else {}),
            "ExpressionAttributeValues": values,
            "Limit": within.limit + 2,
            "ScanIndexForward": not within.descending,
        }
        params |= {"IndexName": index_name(index)} if index else {"ConsistentRead": True}
        return await self._pages(params, f"{prefix}SK", {after, before}, within.limit)

    async def _pages(self, params: dict[str, Any], sort: str, ends: set[str | None], limit: int) -> list[Item]:
        items: list[Item] = []
        while True:
            answer = await self._call("Query", params, READ_TIMEOUT)
            items += [item for item in map(from_item, answer["Items"]) if item[sort] not in ends]
            start = answer.get("LastEvaluatedKey")
            if not start or len(items) >= limit:
                return items[:limit]
            params = {**params, "ExclusiveStartKey": start}

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        check_operations(operations)
        if not operations:
            return
        params = {"TransactItems": [self._rendered(operation) for operation in operations]}
        try:
            await self._call("TransactWriteItems", params, WRITE_TIMEOUT)
        except TransactionCancelled as error:
            refused = [at for at, why in enumerate(error.reasons) if why.code == "ConditionalCheckFailed"]
            if refused:
                raise ConditionRefused(refused) from error
            if not error.is_retryable:
                raise
            raise Unavailable("The same records are being changed by many at once; try again.") from error

    async def discard(self, keys: Sequence[Key]) -> None:
        for start in range(0, len(keys), BATCH):
            await self._discard_batch([{"DeleteRequest": {"Key": _key(key)}} for key in keys[start : start + BATCH]])

    async def _discard_batch(self, requests: list[dict[str, Any]]) -> None:
        async def ask() -> None:
            nonlocal requests
            answer = await self._call("BatchWriteItem", {"RequestItems": {self._name: requests}}, WRITE_TIMEOUT)
            requests = answer.get("UnprocessedItems", {}).get(self._name, [])
            if requests:
                raise _Unprocessed

        await retry(ask, UNPROCESSED_POLICY, on=lambda error: isinstance(error, _Unprocessed))

    async def advance_counters(
        self,
        key: Key,
        steps: Mapping[str, int],
        *,
        floor: int,
        ceiling: int,
        expires_at: int,
        known: Mapping[str, int],
    ) -> CounterLevels:
        for _ in range(LEVEL_TRIES):
            params = {"TableName": self._name, "Key": _key(key), **_rise(steps, floor, ceiling, expires_at, known)}
            try:
                answer = await self._call("UpdateItem", params, WRITE_TIMEOUT)
            except ConditionFailed as refused:
                stored = from_item(refused.item or {})
                known = {name: stored[name] for name in steps if name in stored}
                if any(
                    effective_level(known.get(name), floor, ceiling) + step > ceiling for name, step in steps.items()
                ):
                    return CounterLevels(raised=False, reached=known)
            else:
                reached = from_item(answer["Attributes"])
                return CounterLevels(raised=True, reached={name: reached[name] for name in steps})
        raise Unavailable("The same counters are being changed by many at once; try again.")

    async def _call(self, operation: str, params: dict[str, Any], seconds: float) -> dict[str, Any]:
        try:
            return await self._calls.call("dynamodb", operation, params, timeout=seconds)
        except (ConnectionFailed, DeadlineExceeded, Throttled) as error:
            raise Unavailable("The store does not answer; try again.") from error
        except (TransactionCancelled, ConditionFailed):
            raise
        except AwsError as error:
            if error.is_retryable:
                raise Unavailable("The store does not answer; try again.") from error
            raise

    def _rendered(self, operation: WriteOperation) -> dict[str, Any]:
        match operation:
            case Put(key, item, expect):
                body = {"TableName": self._name, "Item": to_item({**item, "PK": key.pk, "SK": key.sk})}
                return {"Put": body | _condition(expect)}
            case Delete(key, expect):
                return {"Delete": {"TableName": self._name, "Key": _key(key)} | _condition(expect)}
            case Add():
                return {"Update": {"TableName": self._name, "Key": _key(operation.key)} | _addition(operation)}
            case Check(key, equals):
                return {"ConditionCheck": {"TableName": self._name, "Key": _key(key)} | _equality(equals)}


def _key(key: Key) -> dict[str, Any]:
    return {"PK": {"S": key.pk}, "SK": {"S": key.sk}}


def _condition(expect: Expect) -> dict[str, Any]:
    match expect:
        case Absent():
            return {"ConditionExpression": "attribute_not_exists(PK)"}
        case AtVersion(version):
            expression = "#v = :v"
        case OlderThan(version):
            expression = "attribute_not_exists(PK) OR #v < :v"
        case _:
            return {}
    return {
        "ConditionExpression": expression,
        "ExpressionAttributeNames": {"#v": "version"},
        "ExpressionAttributeValues": {":v": {"N": str(version)}},
    }


def _addition(add: Add) -> dict[str, Any]:
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    sums, sets, limits = [], [], []
    for position, (name, amount) in enumerate(add.amounts.items()):
        names[f"#a{position}"], values[f":a{position}"] = name, {"N": str(amount)}
        sums.append(f"#a{position} :a{position}")
        if name in add.at_most:
            values[f":m{position}"] = {"N": str(add.at_most[name] - amount)}
            absent = f"attribute_not_exists(#a{position}) OR " if amount <= add.at_most[name] else ""
            limits.append(f"({absent}#a{position} <= :m{position})")
    for position, (name, value) in enumerate(add.set_attributes.items()):
        names[f"#f{position}"], values[f":f{position}"] = name, to_attribute(value)
        sets.append(f"#f{position} = :f{position}")
    expression = " ".join(f"{verb} {', '.join(parts)}" for verb, parts in (("ADD", sums), ("SET", sets)) if parts)
    update = {
        "UpdateExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
    return update | ({"ConditionExpression": " AND ".join(limits)} if limits else {})


def _equality(equals: Any) -> dict[str, Any]:
    if not equals:
        return {"ConditionExpression": "attribute_exists(PK)"}
    return {
        "ConditionExpression": " AND ".join(f"#e{at} = :e{at}" for at in range(len(equals))),
        "ExpressionAttributeNames": {f"#e{at}": name for at, name in enumerate(equals)},
        "ExpressionAttributeValues": {f":e{at}": to_attribute(value) for at, value in enumerate(equals.values())},
    }


def _rise(
    steps: Mapping[str, int], floor: int, ceiling: int, expires_at: int, known: Mapping[str, int]
) -> dict[str, Any]:
    """DynamoDB has no maximum of two numbers: a counter is guessed to be idle (it begins at the floor) or busy, and the
    condition holds only if the guess does."""
    names, values = {"#x": "expires_at"}, {":x": expires_at, ":floor": floor}
    sets, conditions = ["#x = :x"], []
    for at, (name, step) in enumerate(steps.items()):
        names[f"#n{at}"] = name
        if effective_level(known.get(name), floor, ceiling) > floor:
            values |= {f":s{at}": step, f":m{at}": ceiling - step}
            sets.append(f"#n{at} = #n{at} + :s{at}")
            conditions.append(f"#n{at} > :floor AND #n{at} <= :m{at}")
        else:
            values |= {f":s{at}": floor + step, ":wrong": 2 * ceiling - floor}
            sets.append(f"#n{at} = :s{at}")
            conditions.append(f"(attribute_not_exists(#n{at}) OR #n{at} <= :floor OR #n{at} > :wrong)")
    return {
        "UpdateExpression": f"SET {', '.join(sets)}",
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": to_item(values),
        "ReturnValues": "UPDATED_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }

"""Bugs in the messaging core: each changes a line or two, and names the tests that must notice it."""

from dataclasses import dataclass

UNIT, OUTBOX, DISPATCH, WORKER = (
    "chassis/work/unit_of_work.py",
    "chassis/work/outbox.py",
    "chassis/messaging/dispatch.py",
    "chassis/messaging/worker.py",
)
BROKER = "faststream-sqs/src/faststream_sqs"
BROKER_TESTS = "faststream-sqs/tests/sqs_suite"
ACKNOWLEDGE_TESTS, LAMBDA_TESTS = "tests/chassis/messaging/test_acknowledge.py", f"{BROKER_TESTS}/test_lambda.py"


@dataclass(frozen=True)
class Mutant:
    """A planted bug. `before` is exactly once in `file`. `tests` pass without the bug, and one must fail with it."""

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        "the inbox's claim outside the transaction",
        UNIT,
        "await self._context.table.write(writes)",
        "for each in writes[::-1]:\n                    await self._context.table.write([each])",
        ("tests/chassis/work/test_unit_of_work.py",),
    ),
    Mutant(
        "the outbox's entries not in the transaction",
        UNIT,
        "*(outbox.operation(entry) for entry in self._entries)]",
        "]",
        ("tests/chassis/work/test_unit_of_work.py", "tests/chassis/work/test_outbox.py"),
    ),
    Mutant(
        "the outbox cleared before the bus's answer",
        OUTBOX,
        "            results = await self._bus.put(batch)\n",
        "            await self._table.discard([outbox_key(shard_of(e.event_id, SHARDS), e.event_id) for e in batch])\n"
        "            results = await self._bus.put(batch)\n",
        ("tests/chassis/work/test_outbox.py",),
    ),
    Mutant(
        "entries that the bus refused counted as published",
        OUTBOX,
        "accepted = [entry for entry, ok in zip(batch, results, strict=True) if ok]",
        "accepted = list(batch)",
        ("tests/chassis/work/test_outbox.py",),
    ),
    Mutant(
        "the sweep stops at the first refusal of the bus",
        OUTBOX,
        "            if refused >= REFUSALS_PER_SWEEP:\n",
        "            if refused:\n                self._broke_off.clear()\n",
        ("tests/chassis/work/test_outbox.py",),
    ),
    Mutant(
        "the sweeper publishes events that their committer is publishing",
        OUTBOX,
        "before = oldest_id_at(self._clock.now() - SWEEP_AGE)",
        "before = oldest_id_at(self._clock.now() + SWEEP_AGE)",
        ("tests/chassis/work/test_outbox.py",),
    ),
    Mutant(
        "a Lambda's partial failure ignored",
        f"{BROKER}/invocation.py",
        "failed = [record for record in self._records if record not in self._done]",
        "failed: list[SQSRecord] = []",
        (LAMBDA_TESTS,),
    ),
    Mutant(
        "a delete that SQS refused counted as done",
        f"{BROKER}/settlement.py",
        'return [int(entry["Id"]) for entry in failed if not entry.get("SenderFault")]',
        "return []",
        (f"{BROKER_TESTS}/test_faults.py", f"{BROKER_TESTS}/test_runtime.py"),
    ),
    Mutant(
        "acknowledged before the handler",
        WORKER,
        "        try:\n            await dispatcher.handle(delivery)\n",
        "        try:\n            await message.ack()\n            await dispatcher.handle(delivery)\n",
        (ACKNOWLEDGE_TESTS,),
    ),
    Mutant(
        "no heartbeat",
        f"{BROKER}/heartbeat.py",
        "            await self.beat()\n",
        "            continue\n",
        (f"{BROKER_TESTS}/test_heartbeat.py",),
    ),
    Mutant(
        "no jitter for messages",
        f"{BROKER}/schemas.py",
        "return self.random() * min(self.cap",
        "return min(self.cap",
        (f"{BROKER_TESTS}/test_decisions.py", f"{BROKER_TESTS}/test_properties.py"),
    ),
    Mutant(
        "no jitter for calls",
        "awsjson/src/awsjson/retry.py",
        "return random() * min(cap",
        "return min(cap",
        ("awsjson/tests/awsjson_suite/test_retry.py",),
    ),
    Mutant(
        "a backoff that ignores the receive count",
        f"{BROKER}/settlement.py",
        "self._backoff.delay(record.receive_count)",
        "self._backoff.delay(1)",
        (f"{BROKER_TESTS}/test_settlement.py",),
    ),
    Mutant(
        "retries without a budget",
        "awsjson/src/awsjson/retry.py",
        "        if self.tokens < cost:\n            return False\n",
        "",
        ("awsjson/tests/awsjson_suite/test_retry.py", "tests/chassis/messaging/test_retries.py"),
    ),
    Mutant(
        "a redrive that the inbox does not recognize",
        DISPATCH,
        "IdempotencyClaim(inbox_key(self.consumer, envelope.id)",
        "IdempotencyClaim(inbox_key(self.consumer, delivery.message_id)",
        ("tests/chassis/messaging/test_dispatch.py", "tests/services/notify/test_assignments.py"),
    ),
    Mutant(
        "claims that do not outlive a dead-letter queue",
        DISPATCH,
        "CLAIM_DAYS = 30",
        "CLAIM_DAYS = 7",
        ("tests/chassis/messaging/test_dispatch.py",),
    ),
    Mutant(
        "dead-lettered on the first retryable error",
        WORKER,
        "if message.receive_count < dispatcher.max_receives:",
        "if message.receive_count < 1:",
        (ACKNOWLEDGE_TESTS,),
    ),
    Mutant(
        "a dead letter acknowledged although it was not sent",
        f"{BROKER}/settlement.py",
        'dead-letter queue", error)\n            return False',
        'dead-letter queue", error)\n            return True',
        (f"{BROKER_TESTS}/test_faults.py", f"{BROKER_TESTS}/test_runtime.py", LAMBDA_TESTS),
    ),
    Mutant(
        "an unknown event acknowledged",
        DISPATCH,
        'raise Rejected(f"{subscription.name} has no handler for {envelope.type}.")',
        'raise AlreadyHandled("It is not for us.")',
        ("tests/chassis/messaging/test_dispatch.py",),
    ),
    Mutant(
        "events accepted from any sender",
        DISPATCH,
        'if raw.get("detail-type") != envelope.type or raw.get("source") != owner or envelope.source != owner:',
        'if raw.get("detail-type") != envelope.type:',
        ("tests/chassis/messaging/test_dispatch.py",),
    ),
    Mutant(
        "an older state written over a newer one",
        "chassis/testing/memory.py",
        'stored["version"] < version)',
        'stored["version"] != version)',
        ("tests/chassis/tenants/test_members.py", "tests/chassis/storage/test_table_writes.py"),
    ),
    Mutant(
        "an older state written over a newer one in DynamoDB",
        "chassis/aws/dynamodb.py",
        'expression = "attribute_not_exists(PK) OR #v < :v"',
        'expression = "attribute_not_exists(PK) OR #v <> :v"',
        ("tests/chassis/storage/test_table_writes.py",),
    ),
    Mutant(
        "a repeated request executed again",
        "chassis/http/idempotency.py",
        "    if not is_keyed(request):\n        return None\n",
        "    if is_keyed(request):\n        return None\n",
        ("tests/chassis/http/test_idempotency.py",),
    ),
    Mutant(
        "organizations do not take turns",
        WORKER,
        "            fair_by=organization_of,\n",
        "",
        ("tests/chassis/messaging/test_worker.py",),
    ),
    Mutant(
        "a handler without a timeout",
        WORKER,
        "async with asyncio.timeout(self._seconds) as limit:",
        "async with asyncio.timeout(None) as limit:",
        (ACKNOWLEDGE_TESTS,),
    ),
)

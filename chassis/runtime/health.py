"""Whether a process can do its work now, and if not, what is in its way."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog

from awsjson import AwsError
from chassis.aws.client import AwsCalls
from chassis.declare.resource_names import Names
from chassis.declare.service import Service
from chassis.declare.subscription import AnySubscription
from chassis.errors import TenfoldError
from chassis.resilience.deadline import deadline
from chassis.storage.keys import readiness_key
from chassis.work.context import ServiceContext

log = structlog.get_logger(__name__)

PROBE_SECONDS = 1.5
"""A probe that hangs is an answer too, and whoever asks waits for two."""
CALL_SECONDS = 1.3

Probe = Callable[[], Awaitable[Any]]


def probes(
    service: Service,
    context: ServiceContext,
    calls: AwsCalls,
    names: Names,
    subscriptions: Sequence[AnySubscription] = (),
) -> dict[str, Probe]:
    """What must answer, by its name: the table; the bus, where the service publishes; the queues that it reads."""
    found: dict[str, Probe] = {"the table": lambda: context.table.get(readiness_key())}
    if service.publishes:
        found["the bus"] = lambda: calls.call("events", "DescribeEventBus", {"Name": names.bus})
    for each in subscriptions:
        queue = {"QueueName": names.queue(service.name, each.name)}
        found[f"the queue {each.name}"] = lambda queue=queue: calls.call("sqs", "GetQueueUrl", queue)  # type: ignore[misc]
    return found


async def readiness(wanted: Mapping[str, Probe]) -> str | None:
    """None, or everything that keeps the service from working now. Answers within PROBE_SECONDS."""
    reasons = await asyncio.gather(*(_reason(name, probe) for name, probe in wanted.items()))
    told = "; ".join(reason for reason in reasons if reason is not None)
    if told:
        log.warning("not_ready", reason=told)
    return told or None


async def _reason(name: str, probe: Probe) -> str | None:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            with deadline(CALL_SECONDS):
                await probe()
    except TimeoutError:
        return f"{name} does not answer in {PROBE_SECONDS:g} s"
    except (TenfoldError, AwsError) as error:
        return f"{name} can't be reached: {error}"
    return None

"""Readiness: whether a process can do its work now, and if not, why."""

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
"""A probe that hangs counts as failed; callers of the health route wait for 2 s."""
CALL_SECONDS = 1.3

Probe = Callable[[], Awaitable[Any]]


def probes(
    service: Service,
    context: ServiceContext,
    calls: AwsCalls,
    names: Names,
    subscriptions: Sequence[AnySubscription] = (),
) -> dict[str, Probe]:
    """The probes of a process by name: the table; the bus, if the service publishes; the queues that it consumes."""
    probes: dict[str, Probe] = {"the table": lambda: context.table.get(readiness_key())}
    if service.publishes:
        probes["the bus"] = lambda: calls.call("events", "DescribeEventBus", {"Name": names.bus})
    for each in subscriptions:
        queue = {"QueueName": names.queue(service.name, each.name)}
        probes[f"the queue {each.name}"] = lambda queue=queue: calls.call("sqs", "GetQueueUrl", queue)  # type: ignore[misc]
    return probes


async def readiness(wanted: Mapping[str, Probe]) -> str | None:
    """None, or all reasons why the service cannot work now. Answers within PROBE_SECONDS."""
    reasons = await asyncio.gather(*(_reason(name, probe) for name, probe in wanted.items()))
    reason = "; ".join(each for each in reasons if each is not None)
    if reason:
        log.warning("not_ready", reason=reason)
    return reason or None


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

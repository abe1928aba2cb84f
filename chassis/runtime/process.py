"""One process of a service: its HTTP app, its consumers, its outbox and its schedules on one event loop."""

import asyncio
import contextlib
import random
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import structlog
import uvicorn
from faststream_sqs import SQSBroker

from chassis.aws.client import Aws
from chassis.declare.service import Schedule, Service, load
from chassis.declare.settings import Settings
from chassis.errors import TenfoldError, Unavailable
from chassis.messaging.worker import make_broker, start_consuming
from chassis.resilience.deadline import deadline
from chassis.resilience.request_priority import RequestPriority
from chassis.runtime.bootstrap import MakeContext, make_api, make_context
from chassis.runtime.health import probes
from chassis.telemetry.metrics import Meters
from chassis.tenants.access_denied_events import AccessDeniedEvents
from chassis.work.context import ServiceContext

log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    """Leaves signals to us, since the consumers have to stop, too."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run(service: Service, settings: Settings, compose: MakeContext = make_context) -> None:
    """Run until SIGTERM or SIGINT, then finish the work under way and return."""
    aws = Aws(settings.aws_region, settings.aws_endpoint_url)
    await aws.open()
    context, priority = compose(service, settings, aws), RequestPriority()
    subscriptions, meters = (
        service.load_subscriptions(),
        Meters(service.name, settings.otel_exporter_otlp_metrics_endpoint),
    )
    broker = make_broker(context, subscriptions, settings.names, aws.json, settings.tenfold_graceful_seconds, priority)
    wanted = probes(service, context, aws, settings.names, subscriptions)

    async def check_consuming() -> None:
        if not broker.running:
            raise Unavailable("the consumers have not started yet")

    wanted["consuming"] = check_consuming
    app, state = make_api(service, context, settings, aws, wanted, meters.read)
    server = _Server(
        uvicorn.Config(
            priority.before(app),
            host=settings.tenfold_host,
            port=settings.tenfold_port,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=int(settings.tenfold_graceful_seconds),
        )
    )
    _stop_on_signals(lambda: setattr(server, "should_exit", True))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(aws.close)
        stack.callback(meters.close)
        await stack.enter_async_context(_background(service, context, state.access_denied, settings))
        await stack.enter_async_context(_consuming(broker))
        log.info("started", port=settings.tenfold_port)
        await server.serve()
    log.info("stopped")


@asynccontextmanager
async def _consuming(broker: SQSBroker) -> AsyncIterator[None]:
    """Run the consumers as soon as SQS answers; the API does not wait for them."""
    starting = asyncio.create_task(start_consuming(broker), name="consumers")
    starting.add_done_callback(_die_loudly)
    try:
        yield
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await broker.stop()


@asynccontextmanager
async def _background(
    service: Service, context: ServiceContext, access_denied: AccessDeniedEvents, settings: Settings
) -> AsyncIterator[None]:
    """Run the outbox and the schedules. On leaving, events that wait in memory are published."""
    tasks = [asyncio.create_task(context.outbox.run(), name="outbox")]
    tasks += [asyncio.create_task(_repeat(schedule, context), name=schedule.name) for schedule in service.schedules]
    tasks.append(asyncio.create_task(access_denied.run(), name="access-denied-events"))
    tasks.append(asyncio.create_task(_sweep(context, settings.tenfold_sweep_seconds), name="sweeper"))
    for task in tasks:
        task.add_done_callback(_die_loudly)
    try:
        yield
    finally:
        with deadline(settings.tenfold_graceful_seconds):  # else each would wait for a table that does not answer
            await access_denied.settle(everything=True)
        await context.outbox.drain(settings.tenfold_graceful_seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _sweep(context: ServiceContext, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds * random.uniform(0.5, 1.5))  # noqa: S311  (spreads several workers' sweeps)
        try:
            if swept := await context.outbox.sweep():
                log.info("outbox_swept", entries=swept)
        except Unavailable as error:
            log.warning("sweep_failed", reason=error.detail)


async def _repeat(schedule: Schedule, context: ServiceContext) -> None:
    task, pause = load(schedule.task), schedule.every.total_seconds()
    while True:
        await asyncio.sleep(pause * random.uniform(0.9, 1.1))  # noqa: S311  (spreads several workers' runs)
        try:
            await task(context)
        except TenfoldError as error:
            log.warning("schedule_failed", schedule=schedule.name, reason=error.detail)
        except Exception:
            log.exception("schedule_crashed", schedule=schedule.name)


def _die_loudly(task: "asyncio.Task[None]") -> None:
    """End the process with a background task that died: it must not go on without it."""
    if not task.cancelled() and (error := task.exception()):
        log.critical("background_task_died", task=task.get_name(), exc_info=error)
        signal.raise_signal(signal.SIGTERM)


def _stop_on_signals(stop: Callable[[], None]) -> None:
    """The first signal stops gracefully; a second one of the same kind stops hard, as the system does by default."""
    loop = asyncio.get_running_loop()

    def once(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, once, number)

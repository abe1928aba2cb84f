"""Child process with one peer, in the peers' environment: KIND fill|consume URL [MESSAGES].

Each has the settings that its documentation recommends for speed: ten messages per receive, long polls, no results, no
events, no logs; Celery with its solo pool (the cheapest, without other processes or threads), Dramatiq with only the
middleware that its workers need. The handler validates the same model. Messages are acknowledged after handling.
"""

import asyncio
import logging
import os
import signal
import sys
from typing import Any

from bench.envelope import Envelope, content
from bench.processes import Meter

WORKERS = 8


def taskiq(job: str, url: str, messages: int) -> None:
    from taskiq.receiver import Receiver  # type: ignore[import-not-found]  # only in the peers' environment
    from taskiq_aio_sqs import SQSBroker  # type: ignore[import-not-found]  # only in the peers' environment

    broker = SQSBroker(
        url.rsplit("/", 1)[-1],
        region_name=os.environ["AWS_DEFAULT_REGION"],
        max_number_of_messages=10,
        wait_time_seconds=1,
    )
    meter = Meter()

    async def handle(event: Envelope) -> None:
        meter.handled += 1

    task: Any = broker.task(task_name="handle")(handle)

    async def fill() -> None:
        await broker.startup()
        for start in range(0, messages, 50):
            numbers = range(start, min(start + 50, messages))
            await asyncio.gather(*[task.kiq(content(number)) for number in numbers])
        await broker.shutdown()

    async def consume() -> None:
        broker.is_worker_process = True
        await broker.startup()
        receiver = Receiver(broker, max_async_tasks=WORKERS, max_prefetch=10, run_startup=False)
        meter.start()
        await receiver.listen(asyncio.Event())

    asyncio.run(fill() if job == "fill" else consume())


def dramatiq(job: str, url: str, messages: int) -> None:
    # the number of messages per receive, which dramatiq reads when it is imported
    os.environ["dramatiq_queue_prefetch"] = "10"  # noqa: SIM112  # its name
    import dramatiq as library  # type: ignore[import-not-found]  # only in the peers' environment
    from dramatiq.middleware import Retries  # type: ignore[import-not-found]  # only in the peers' environment
    from dramatiq_sqs import SQSBroker  # type: ignore[import-not-found]  # only in the peers' environment

    broker = SQSBroker(middleware=[Retries()])
    library.set_broker(broker)
    meter = Meter()

    def handle(event: dict[str, Any]) -> None:
        Envelope.model_validate(event)
        meter.handled += 1

    actor = library.actor(queue_name=url.rsplit("/", 1)[-1])(handle)
    if job == "fill":
        for number in range(messages):
            actor.send(content(number))
        return
    worker = library.Worker(broker, worker_threads=WORKERS)
    meter.start()
    worker.start()
    while True:
        signal.pause()


def celery(job: str, url: str, messages: int) -> None:
    from celery import Celery  # type: ignore[import-not-found]  # only in the peers' environment

    name = url.rsplit("/", 1)[-1]
    host = os.environ["AWS_ENDPOINT_URL"].partition("//")[2]
    app: Any = Celery("bench", broker=f"sqs://test:test@{host}")
    keys = {"access_key_id": "test", "secret_access_key": "test"}
    app.conf.update(
        broker_transport_options={
            "region": os.environ["AWS_DEFAULT_REGION"],
            "is_secure": False,
            "wait_time_seconds": 1,
            "polling_interval": 0,
            "predefined_queues": {name: {"url": url, **keys}},
        },
        task_default_queue=name,
        task_acks_late=True,
        task_ignore_result=True,
        worker_prefetch_multiplier=10,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
    )
    meter = Meter()

    def handle(event: dict[str, Any]) -> None:
        Envelope.model_validate(event)
        meter.handled += 1

    task = app.task(name="handle")(handle)
    if job == "fill":
        for number in range(messages):
            task.delay(content(number))
        return
    options = {"without_gossip": True, "without_mingle": True, "without_heartbeat": True, "quiet": True}
    worker = app.Worker(pool="solo", concurrency=1, loglevel="ERROR", **options)
    meter.start()
    worker.start()


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    KINDS = {"taskiq": taskiq, "dramatiq": dramatiq, "celery": celery}
    KINDS[sys.argv[1]](sys.argv[2], sys.argv[3], int(sys.argv[4]) if len(sys.argv) > 4 else 0)

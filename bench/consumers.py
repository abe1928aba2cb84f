"""Child process with one consumer of ours, or with the bare loop that it is compared with: VARIANT QUEUE."""

import asyncio
import sys
from importlib import import_module
from typing import Any

from bench.envelope import Envelope
from bench.processes import Meter

WORKERS = 8
TELEMETRY = "faststream_sqs.opentelemetry"


def boto3_loop(url: str, meter: Meter) -> None:
    """The bare loop with boto3, to which the others are compared: one thread, receive ten, validate, delete ten."""
    import boto3

    sqs: Any = boto3.client("sqs")
    meter.start()
    while True:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        for message in messages:
            Envelope.model_validate_json(message["Body"])
            meter.handled += 1
        if messages:
            entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)


async def awsjson_loop(url: str, meter: Meter) -> None:
    """The same loop with awsjson: the lower bound for a broker."""
    from awsjson import AwsJson

    receive = {"QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}
    async with AwsJson() as client:
        await client.open("sqs")
        meter.start()
        while True:
            messages = (await client.call("sqs", "ReceiveMessage", receive)).get("Messages", [])
            for message in messages:
                Envelope.model_validate_json(message["Body"])
                meter.handled += 1
            if messages:
                entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)]
                await client.call("sqs", "DeleteMessageBatch", {"QueueUrl": url, "Entries": entries})


def make_broker(traced: bool) -> Any:
    """A broker without logs; if traced, with FastStream's telemetry, a real SDK, and an exporter that drops spans."""
    from faststream_sqs import SQSBroker

    if not traced:
        return SQSBroker(logger=None)
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

    class DroppingExporter(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    # imported by name: the section omits tracing if a version of the broker has none
    telemetry = import_module(TELEMETRY).SQSTelemetryMiddleware
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(DroppingExporter()))
    return SQSBroker(logger=None, middlewares=(telemetry(tracer_provider=provider),))


def subscribe(broker: Any, url: str, meter: Meter, *, raw: bool, pollers: int = 1) -> None:
    """Add a handler that validates the body itself (raw), or that lets FastStream do it (typed)."""
    from faststream_sqs import SQSMessage

    if raw:

        async def handle_raw(message: SQSMessage) -> None:
            Envelope.model_validate_json(message.body)
            meter.handled += 1

        broker.subscriber(url, raw=True, no_reply=True, max_workers=WORKERS, pollers=pollers, wait=1)(handle_raw)
    else:

        async def handle_typed(event: Envelope) -> None:
            meter.handled += 1

        broker.subscriber(url, no_reply=True, max_workers=WORKERS, pollers=pollers, wait=1)(handle_typed)


async def faststream(url: str, meter: Meter, *, raw: bool, traced: bool) -> None:
    broker = make_broker(traced)
    subscribe(broker, url, meter, raw=raw)
    await broker.connect()
    meter.start()
    await broker.start()
    await asyncio.Event().wait()


def main(variant: str, url: str) -> None:
    meter = Meter()
    kind, _, option = variant.partition("+")
    if kind == "boto3":
        boto3_loop(url, meter)
    elif kind == "awsjson":
        asyncio.run(awsjson_loop(url, meter))
    else:
        asyncio.run(faststream(url, meter, raw=kind == "raw", traced=option == "tracing"))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Section of the CPU that a consumer needs for a queue of messages, against the bare boto3 loop."""

from dataclasses import dataclass
from importlib.util import find_spec
from uuid import uuid4

from bench.consumers import TELEMETRY
from bench.envelope import body
from bench.figures import Report, alternate
from bench.processes import RunFailed, child, variables_for, watch_until_empty
from bench.queues import REGION, Queues

TARGETS = {"raw": "at most 0.60", "typed": "at most 0.75"}
TITLES = {
    "boto3": "bare boto3 loop, one thread",
    "awsjson": "bare awsjson loop",
    "raw": "faststream_sqs, raw handler",
    "typed": "faststream_sqs, typed handler",
    "raw+tracing": "raw handler, tracing on",
    "typed+tracing": "typed handler, tracing on",
}


@dataclass(frozen=True, slots=True)
class Consumption:
    """Measures consumers of our own environment on one embedded AWS."""

    endpoint_url: str
    queues: Queues
    messages: int

    def milliseconds(self, variant: str) -> float:
        """CPU of a variant for 1000 messages. Raises RunFailed."""
        url = self.queues.create(f"b{uuid4().hex[:12]}")
        try:
            self.queues.fill(url, [body(number) for number in range(self.messages)])
            process = child("bench.consumers", variant, url, **variables_for(self.endpoint_url, REGION))
            usage = watch_until_empty(process, lambda: self.queues.left(url))
        finally:
            self.queues.delete(url)
        if usage.handled != self.messages:
            raise RunFailed(f"{variant} handled {usage.handled} of {self.messages} messages")
        return usage.cpu / usage.handled * 1e6


def consumer_section(report: Report, consumption: Consumption, rounds: int) -> None:
    """Compare our consumers, with and without tracing, with the bare loops."""
    names = [name for name in TITLES if "tracing" not in name or find_spec(TELEMETRY)]
    by_name = alternate(names, rounds, consumption.milliseconds)
    base = by_name["boto3"]
    rows = [
        (
            TITLES[name],
            samples.spread(),
            "" if samples is base else samples.ratios(base).spread(2),
            TARGETS.get(name, ""),
        )
        for name, samples in by_name.items()
    ]
    report.table(
        f"Consumer CPU, ms for 1000 messages of {len(body())} bytes ({rounds} rounds of {consumption.messages})",
        ("consumer", "ms", "against boto3", "target"),
        rows,
    )
    if len(names) < len(TITLES):
        report.line(f"tracing on: not measured, there is no {TELEMETRY}")

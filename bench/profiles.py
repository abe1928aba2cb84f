"""Section of a sampling profile of consumers: the CPU of each part of the stack.

As a child process, it consumes from the canned SQS for some seconds, interrupted once per millisecond of CPU.
"""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from types import FrameType
from typing import Any

from bench.canned import running_stub
from bench.consumers import boto3_loop, make_broker, subscribe
from bench.figures import Report
from bench.processes import Meter, answer_of, child, variables_for
from bench.queues import REGION

SECONDS = 6.0
# the innermost frame with one of these in its path names the part; other frames count for their callers
PARTS = {
    "/bench/": "handler and pydantic",
    "/pydantic/": "handler and pydantic",
    "/faststream_sqs/": "faststream_sqs",
    "/faststream/": "faststream",
    "/fast_depends/": "faststream",
    "/aiohttp/": "aiohttp",
    "/yarl/": "aiohttp",
    "/multidict/": "aiohttp",
    "/awsjson/": "awsjson",
    "/botocore/auth.py": "botocore, signing",
    "/botocore/": "botocore, the rest",
    "/boto3/": "botocore, the rest",
    "/urllib3/": "urllib3 and http.client",
    "/http/client.py": "urllib3 and http.client",
    "/asyncio/selector_events.py": "sockets",
    "/selectors.py": "sockets",
    "/socket.py": "sockets",
    "/asyncio/": "the event loop",
}


def part_of(frame: FrameType | None) -> str:
    while frame is not None:
        path = frame.f_code.co_filename
        for mark, part in PARTS.items():
            if mark in path:
                return part
        frame = frame.f_back
    return "the rest"


class Sampler:
    """Counts samples from `start` on; `report` returns the share of each part."""

    def __init__(self) -> None:
        self.samples: Counter[str] = Counter()

    def start(self) -> None:
        def sample(number: int, frame: FrameType | None) -> None:
            self.samples[part_of(frame)] += 1

        signal.signal(signal.SIGPROF, sample)
        signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)

    def report(self) -> dict[str, float]:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        return {part: count / self.samples.total() for part, count in self.samples.most_common()}


def write(meter: Meter, sampler: Sampler, cpu: float) -> None:
    sys.stdout.write(json.dumps({"milliseconds": cpu / meter.handled * 1e6, "shares": sampler.report()}) + "\n")
    sys.stdout.flush()


async def consume(url: str, *, raw: bool, traced: bool) -> None:
    meter, sampler = Meter(), Sampler()
    broker = make_broker(traced)
    subscribe(broker, url, meter, raw=raw)
    await broker.start()
    await asyncio.sleep(0.5)
    sampler.start()
    meter.handled, cpu = 0, time.process_time()
    await asyncio.sleep(SECONDS)
    write(meter, sampler, time.process_time() - cpu)
    await broker.stop()


def loop(url: str) -> None:
    """Run the bare boto3 loop, ended by a signal since it never ends by itself."""
    meter, sampler = Meter(), Sampler()

    def end(number: int, frame: object) -> None:
        write(meter, sampler, time.process_time() - cpu)
        raise SystemExit

    sampler.start()
    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    cpu = time.process_time()
    boto3_loop(url, meter)


def profile_section(report: Report) -> None:
    """Report the profiles. Raises RunFailed."""
    variants = {"boto3": "bare boto3 loop", "raw": "raw", "typed": "typed"}
    answers = {}
    with running_stub(0.0) as url:
        queue = f"{url}/000000000000/q"
        for variant in variants:
            process = child("bench.profiles", variant, queue, **variables_for(url, REGION))
            answers[variant] = answer_of(process, 60.0)

    def cell(answer: dict[str, Any], part: str) -> str:
        share = answer["shares"].get(part, 0.0)
        return f"{share * answer['milliseconds']:.1f} ({share:.0%})" if share else ""

    parts = sorted(
        {part for answer in answers.values() for part in answer["shares"]},
        key=lambda part: -sum(answer["shares"].get(part, 0.0) for answer in answers.values()),
    )
    rows = [(part, *(cell(answers[variant], part) for variant in variants)) for part in parts]
    rows.append(("total", *(f"{answers[variant]['milliseconds']:.0f}" for variant in variants)))
    report.table(
        f"CPU by part of the stack, ms for 1000 messages (canned SQS, samples of {SECONDS:.0f} s)",
        ("", *variants.values()),
        rows,
    )


if __name__ == "__main__":
    if sys.argv[1] == "boto3":
        loop(sys.argv[2])
    else:
        asyncio.run(consume(sys.argv[2], raw=sys.argv[1] == "raw", traced=False))

"""Section of the throughput by number of pollers when each call takes 20 ms; as a child process, it consumes."""

import asyncio
import json
import sys
import time

from bench.canned import running_stub
from bench.consumers import make_broker, subscribe
from bench.figures import Report, alternate
from bench.processes import Meter, answer_of, child, variables_for
from bench.queues import REGION

LATENCY = 0.02
POLLERS = (1, 2, 4, 8)
WARM_UP, SECONDS = 0.5, 2.0


async def consume(url: str, pollers: int) -> None:
    """Consume, and print messages per second and the CPU seconds per second."""
    meter = Meter()
    broker = make_broker(traced=False)
    subscribe(broker, url, meter, raw=True, pollers=pollers)
    await broker.start()
    await asyncio.sleep(WARM_UP)
    handled, cpu, started = meter.handled, time.process_time(), time.perf_counter()
    await asyncio.sleep(SECONDS)
    took = time.perf_counter() - started
    rate, busy = (meter.handled - handled) / took, (time.process_time() - cpu) / took
    sys.stdout.write(json.dumps({"rate": rate, "busy": busy}) + "\n")
    await broker.stop()


def pollers_section(report: Report, rounds: int) -> None:
    """Report the throughput. Raises RunFailed."""
    busy: dict[str, list[float]] = {str(count): [] for count in POLLERS}
    with running_stub(LATENCY) as url:

        def rate(count: str) -> float:
            queue = f"{url}/000000000000/q"
            answer = answer_of(child("bench.pollers", queue, count, **variables_for(url, REGION)), 60.0)
            busy[count].append(answer["busy"])
            return float(answer["rate"])

        by_count = alternate([str(count) for count in POLLERS], rounds, rate)
    single = by_count["1"]
    rows = []
    for count, samples in by_count.items():
        linear = samples.ratios(single)
        linear.values = [ratio / int(count) for ratio in linear.values]
        share = f"{max(busy[count]):.0%}"
        rows.append((count, samples.spread(), linear.spread(2), share, "at least 0.80" if count == "8" else ""))
    report.table(
        f"Throughput when each call takes {LATENCY * 1000:.0f} ms (canned SQS, raw handler, {rounds} rounds)",
        ("pollers", "messages/s", "of linear", "of one core", "target"),
        rows,
    )


if __name__ == "__main__":
    asyncio.run(consume(sys.argv[1], int(sys.argv[2])))

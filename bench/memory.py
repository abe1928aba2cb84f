"""Section of the memory of a consumer over many messages; as a child process, it consumes and samples its memory."""

import asyncio
import json
import resource
import sys
from pathlib import Path

from bench.canned import running_stub
from bench.consumers import make_broker, subscribe
from bench.figures import Report
from bench.processes import Meter, answer_of, child, variables_for
from bench.queues import REGION

STEP = 20_000


def resident() -> float:
    """Resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


async def consume(url: str, messages: int) -> None:
    """Consume, and print the resident memory after every STEP messages."""
    meter = Meter()
    broker = make_broker(traced=False)
    subscribe(broker, url, meter, raw=True, pollers=4)
    await broker.start()
    sizes: list[float] = []
    while len(sizes) < messages // STEP:
        await asyncio.sleep(0.02)
        if meter.handled >= STEP * (len(sizes) + 1):
            sizes.append(resident())
    sys.stdout.write(json.dumps({"sizes": sizes}) + "\n")
    await broker.stop()


def memory_section(report: Report, messages: int) -> None:
    """Report the growth of a consumer. Raises RunFailed."""
    messages = max(2 * STEP, messages - messages % STEP)
    with running_stub(0.0) as url:
        queue = f"{url}/000000000000/q"
        process = child("bench.memory", queue, str(messages), **variables_for(url, REGION))
        sizes: list[float] = answer_of(process, 600.0)["sizes"]
    growth = max(sizes) / sizes[0] - 1
    steps = " ".join(f"{size:.0f}" for size in sizes)
    report.table(
        f"Memory of a consumer over {messages} messages (canned SQS, raw handler, 4 pollers)",
        ("resident MiB after each 20 000", "growth after the first", "target"),
        [(steps, f"{growth:+.1%}", "below 5 %")],
    )


if __name__ == "__main__":
    asyncio.run(consume(sys.argv[1], int(sys.argv[2])))

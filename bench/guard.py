"""Measures the CPU that auth, scope, rate limit and idempotency add to a read, against a bare FastAPI route.

    python -m bench guard [--rounds 7]

It takes about a minute, and fails if our own code costs more than its target. Both routes make the same read of the
same table; the guarded one also verifies the token, reads membership and organization, counts the request, sets headers
and writes a log line. Requests are passed to the app in process, without a server or a client, and the CPU of the
answering thread is counted. With a table in memory that is our own code alone; with DynamoDB two more calls of the AWS
client are added, one request at a time and many at once, as in a busy process.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from fastapi import FastAPI
from starlette.types import ASGIApp, Message

from bench.figures import Report, Samples
from chassis.http.app import make_app
from chassis.storage.table import Table
from chassis.telemetry.logs import set_up_logs
from chassis.tenants.organizations import OrganizationProfile, project
from chassis.testing.memory import MemoryTable
from chassis.testing.service import ServiceUnderTest
from contracts.common import Plan
from deploy.embedded.emulator import Emulator
from tests.chassis.backends import ministack_table
from tests.chassis.world import Project, Projects, create, service

TARGET_MS = 1.5
ROUNDS, REQUESTS, WARM, AT_ONCE = 7, 192, 48, 16
APART_MS = 10
"""Time between two requests on the injected clock: the rate that the best plan allows."""
BARE, GUARDED = "a bare route", "guarded"
IN_MEMORY = "a table in memory"


@dataclass
class Bench:
    """Both apps on one table; `path` is the path that is read."""

    world: ServiceUnderTest
    apps: dict[str, ASGIApp]
    headers: list[tuple[bytes, bytes]]
    path: str

    async def p50(self, name: str, requests: int, at_once: int) -> float:
        """Milliseconds of CPU per request. Raises RuntimeError if a request fails."""
        costs = []
        for _ in range(requests // at_once):
            self.world.clock.advance(milliseconds=APART_MS * at_once)
            began = time.thread_time_ns()
            statuses = await asyncio.gather(*(self._ask(self.apps[name]) for _ in range(at_once)))
            costs.append((time.thread_time_ns() - began) / 1e6 / at_once)
            if set(statuses) != {200}:
                raise RuntimeError(f"{name}: {statuses}")
        return median(costs)

    async def _ask(self, app: ASGIApp) -> int:
        statuses: list[int] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": list(self.headers),
            "client": ("127.0.0.1", 1),
            "server": ("test", 80),
        }
        await app(scope, receive, send)
        return statuses[0]


async def bench_on(table: Table) -> Bench:
    """Both apps on `table`, with a member and a project in it."""
    world = ServiceUnderTest(service, table=table)
    scope = world.scope()
    await world.add_member("user_ada")
    profile = OrganizationProfile(id=scope.org_id, slug="acme", name="Acme", version=1, plan=Plan.ENTERPRISE)
    await project(scope, profile)
    stored = await create(scope, "Web")
    await world.outbox.flush()
    bare = FastAPI()

    @bare.get("/v1/projects/{project_id}")
    async def get_project(project_id: str) -> Project:
        return await Projects(scope).get(project_id)

    async with world.client() as client:
        token = client.headers["Authorization"]

    async def ready() -> str | None:
        return None

    headers = [(b"host", b"test"), (b"authorization", token.encode()), (b"idempotency-key", b"one")]
    guarded = make_app(service, world.api_state, ready)
    return Bench(world, {BARE: bare, GUARDED: guarded}, headers, f"/v1/projects/{stored.id}")


async def measure(bench: Bench, rounds: int, requests: int, at_once: int) -> dict[str, Samples]:
    """Costs of both apps, whose rounds alternate."""
    samples = {name: Samples(name) for name in bench.apps}
    for name in bench.apps:
        await bench.p50(name, WARM, at_once)
    for number in range(rounds):
        for name in bench.apps if number % 2 == 0 else reversed(bench.apps):
            samples[name].values.append(await bench.p50(name, requests, at_once))
    return samples


@asynccontextmanager
async def tables(home: Path) -> AsyncIterator[dict[str, tuple[Table, int]]]:
    """Each table, with the number of requests at once."""
    with Emulator(home) as aws:
        async with ministack_table(aws.endpoint_url) as first, ministack_table(aws.endpoint_url) as second:
            yield {
                IN_MEMORY: (MemoryTable(), 1),
                "DynamoDB, one at a time": (first, 1),
                f"DynamoDB, {AT_ONCE} at once": (second, AT_ONCE),
            }


async def compare(report: Report, rounds: int, requests: int) -> float:
    """Report the costs on every table. Returns the median overhead of our own code, in ms."""
    rows, own = [], 0.0
    with tempfile.TemporaryDirectory(prefix="guard-") as home:
        async with tables(Path(home)) as available:
            for name, (table, at_once) in available.items():
                samples = await measure(await bench_on(table), rounds, requests, at_once)
                pairs = zip(samples[GUARDED].values, samples[BARE].values, strict=True)
                added = Samples("added", [guarded - bare for guarded, bare in pairs])
                rows.append((name, *(each.spread(2) for each in (samples[BARE], samples[GUARDED], added))))
                own = median(added.values) if name == IN_MEMORY else own
    report.table(
        "CPU of a read, ms: p50, as the median of the rounds and their range", ("", BARE, GUARDED, "added"), rows
    )
    return own


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench guard", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds in which both routes take turns")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="requests per round and route")
    given, report = parser.parse_args(), Report()
    report.line(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    with Path(os.devnull).open("w") as nowhere:
        with contextlib.redirect_stdout(nowhere):
            set_up_logs(service.name, "INFO")  # log lines are part of the cost
        overhead = asyncio.run(compare(report, given.rounds, given.requests))
    report.line(f"our own code adds {overhead:.2f} ms (target: less than {TARGET_MS} ms)")
    return 0 if overhead < TARGET_MS else 1


if __name__ == "__main__":
    sys.exit(main())

"""`python -m bench.guard`: what auth, scope, rate limit and idempotency cost a read, in CPU of our own process.

The same read of the same table, by a bare FastAPI route and by a guarded one with everything around it: token verified,
membership and organization read, the request counted, headers, a log line. The requests are handed to the app in
process, without a server or a client, and what is counted is the CPU of the thread that answers. On a table in memory
that is our own code alone; on DynamoDB the AWS client's part of two more calls comes to it, one request at a time, and
with many at once, as a busy process has them.
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
"""Between two requests, by the injected clock: so many as the best plan allows."""
BARE, GUARDED = "a bare route", "guarded"
IN_MEMORY = "a table in memory"


@dataclass
class Bench:
    """Both apps on one table; `path` is what they read."""

    world: ServiceUnderTest
    apps: dict[str, ASGIApp]
    headers: list[tuple[bytes, bytes]]
    path: str

    async def p50(self, name: str, requests: int, at_once: int) -> float:
        """Milliseconds of CPU that one request costs. Raises RuntimeError for one that is not answered well."""
        spent = []
        for _ in range(requests // at_once):
            self.world.clock.advance(milliseconds=APART_MS * at_once)
            began = time.thread_time_ns()
            statuses = await asyncio.gather(*(self._ask(self.apps[name]) for _ in range(at_once)))
            spent.append((time.thread_time_ns() - began) / 1e6 / at_once)
            if set(statuses) != {200}:
                raise RuntimeError(f"{name}: {statuses}")
        return median(spent)

    async def _ask(self, app: ASGIApp) -> int:
        statuses: list[int] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": self.path, "raw_path": self.path.encode(), "query_string": b"", "root_path": "",
            "headers": list(self.headers), "client": ("127.0.0.1", 1), "server": ("test", 80),
        }  # fmt: skip
        await app(scope, receive, send)
        return statuses[0]


async def bench_on(table: Table) -> Bench:
    world = ServiceUnderTest(service, table=table)
    scope = world.scope()
    await world.add_member("user_ada")
    profile = OrganizationProfile(id=scope.org_id, slug="acme", name="Acme", version=1, plan=Plan.ENTERPRISE)
    await project(scope, profile)
    made = await create(scope, "Web")
    await world.outbox.flush()
    bare = FastAPI()

    @bare.get("/v1/projects/{project_id}")
    async def get_project(project_id: str) -> Project:
        return await Projects(scope).get(project_id)

    async with world.client() as known:
        token = known.headers["Authorization"]
    headers = [(b"host", b"test"), (b"authorization", token.encode()), (b"idempotency-key", b"one")]
    guarded = make_app(service, world.api_state, _ready)
    return Bench(world, {BARE: bare, GUARDED: guarded}, headers, f"/v1/projects/{made.id}")


async def measured(bench: Bench, rounds: int, requests: int, at_once: int) -> dict[str, Samples]:
    found = {name: Samples(name) for name in bench.apps}
    for name in bench.apps:
        await bench.p50(name, WARM, at_once)
    for number in range(rounds):
        for name in bench.apps if number % 2 == 0 else reversed(bench.apps):
            found[name].values.append(await bench.p50(name, requests, at_once))
    return found


@asynccontextmanager
async def places(home: Path) -> AsyncIterator[dict[str, tuple[Table, int]]]:
    """Each table, and how many requests it gets at once."""
    with Emulator(home) as aws:
        async with ministack_table(aws.endpoint_url) as one, ministack_table(aws.endpoint_url) as other:
            yield {
                IN_MEMORY: (MemoryTable(), 1),
                "DynamoDB, one at a time": (one, 1),
                f"DynamoDB, {AT_ONCE} at once": (other, AT_ONCE),
            }


async def compare(report: Report, rounds: int, requests: int) -> float:
    """Shows every place; returns the median overhead of our own code, in ms."""
    rows, own = [], 0.0
    with tempfile.TemporaryDirectory(prefix="guard-") as home:
        async with places(Path(home)) as there:
            for place, (table, at_once) in there.items():
                found = await measured(await bench_on(table), rounds, requests, at_once)
                pairs = zip(found[GUARDED].values, found[BARE].values, strict=True)
                added = Samples("added", [guarded - bare for guarded, bare in pairs])
                rows.append((place, *(each.spread(2) for each in (found[BARE], found[GUARDED], added))))
                own = median(added.values) if place == IN_MEMORY else own
    report.table(
        "CPU of a read, ms: p50, as the median of the rounds and their range", ("", BARE, GUARDED, "added"), rows
    )
    return own


async def _ready() -> str | None:
    return None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.guard", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    chosen, report = parser.parse_args(), Report()
    report.line(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    with Path(os.devnull).open("w") as nowhere:
        with contextlib.redirect_stdout(nowhere):
            set_up_logs(service.name, "INFO")  # its lines are part of what is measured
        overhead = asyncio.run(compare(report, chosen.rounds, chosen.requests))
    report.line(f"our own code adds {overhead:.2f} ms (target: less than {TARGET_MS} ms)")
    return 0 if overhead < TARGET_MS else 1


if __name__ == "__main__":
    sys.exit(main())

"""The tasks service as a real process on an embedded AWS, with a minimal stage around it.

The stage has its table, its queues, a bus without rules, and an issuer of tokens.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bench.processes import ROOT, end, environment, free_port, variables_for
from chassis.auth.development import ISSUER, DevelopmentIssuer
from chassis.auth.tokens import TokenClaims
from chassis.clock import SystemClock, SystemIds
from chassis.declare.resource_names import Names
from contracts.common import Plan, Role
from contracts.event import SOURCE_PREFIX, Envelope, Event
from contracts.tenancy.v1 import MemberAdded, OrganizationCreated
from deploy.aws import REGION, Aws
from services.tasks.service import service
from tests.chassis.backends import description

NAMES = Names("bench")
ORG, USER = "org_quiet", "user_ada"
READY_SECONDS = 30.0


@dataclass
class RunningService:
    """The running service. `headers` are those of USER in ORG, which has the best plan."""

    endpoint_url: str
    """Endpoint of the embedded AWS."""
    base_url: str
    headers: dict[str, str]
    headers_in: Callable[[str], dict[str, str]]
    """Headers of USER in another organization."""
    process: subprocess.Popen[bytes]
    sqs: Any
    queue: str

    def resident(self) -> float:
        """Resident memory of the service's process in MiB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def left(self) -> int:
        """Messages in its queue, waiting or in flight."""
        wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=wanted)["Attributes"]
        return sum(int(value) for value in attributes.values())

    def send(self, bodies: list[str]) -> None:
        """Send up to ten messages."""
        entries = [{"Id": str(at), "MessageBody": body} for at, body in enumerate(bodies)]
        assert not self.sqs.send_message_batch(QueueUrl=self.queue, Entries=entries).get("Failed")


@asynccontextmanager
async def running_stage(endpoint_url: str, home: Path) -> AsyncIterator[RunningService]:
    """Run the service with its stage. Raises RuntimeError, with the end of its log, if it does not start."""
    issuer = DevelopmentIssuer(SystemClock())
    async with _serve_keys(issuer) as jwks_url:
        sqs = await asyncio.to_thread(_create_resources, Aws(endpoint_url))
        port = free_port()
        variables = environment(
            **variables_for(endpoint_url, REGION),
            AWS_REGION=REGION,
            PORT=str(port),
            TENFOLD_LOG_LEVEL="WARNING",
            TENFOLD_STAGE=NAMES.stage,
            TENFOLD_ISSUER=ISSUER.issuer,
            TENFOLD_JWKS_URL=jwks_url,
            TENFOLD_CLIENT_ID=ISSUER.client_id,
        )

        def headers_in(org_id: str) -> dict[str, str]:
            claims = TokenClaims(user_id=USER, email="ada@acme.example", org=org_id, role=Role.OWNER, mv=1)
            return {"Authorization": f"Bearer {issuer.token(claims)}"}

        with (home / "service.log").open("wb") as log:
            command = [sys.executable, "-m", "chassis.runtime.run", service.name]
            process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=log)
        queue = sqs.get_queue_url(QueueName=NAMES.queue(service.name, "members"))["QueueUrl"]
        running = RunningService(
            endpoint_url, f"http://127.0.0.1:{port}", headers_in(ORG), headers_in, process, sqs, queue
        )
        try:
            await _wait_until_ready(running, home / "service.log")
            await asyncio.to_thread(running.send, [organization_created(ORG, Plan.ENTERPRISE)])
            yield running
        finally:
            await asyncio.to_thread(end, process, 30.0)


@asynccontextmanager
async def _serve_keys(issuer: DevelopmentIssuer) -> AsyncIterator[str]:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(issuer.keys())

    app = web.Application()
    app.router.add_get("/jwks", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/jwks"
    finally:
        await runner.cleanup()


def _create_resources(aws: Aws) -> Any:
    sqs = aws.client("sqs")
    for subscription in service.load_subscriptions():
        for name in (NAMES.queue(service.name, subscription.name), NAMES.dead_letters(service.name, subscription.name)):
            sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(subscription.visibility)})
    aws.client("dynamodb").create_table(**description(NAMES.table(service.name)))
    aws.client("events").create_event_bus(Name=NAMES.bus)
    return sqs


async def _wait_until_ready(running: RunningService, log: Path) -> None:
    deadline = asyncio.get_running_loop().time() + READY_SECONDS
    async with aiohttp.ClientSession() as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{running.base_url}/health/ready") as answer:
                    if answer.status == 200:
                        return
            if running.process.poll() is not None or asyncio.get_running_loop().time() > deadline:
                raise RuntimeError(f"the service is not ready:\n{log.read_text()[-2000:]}")
            await asyncio.sleep(0.1)


def member_added(number: int, org_id: str) -> str:
    """A message as the bus puts it into the queue of memberships."""
    event = MemberAdded(user_id=f"user_{number}", email="x@y.example", name="X", role=Role.MEMBER)
    return _message(event, org_id)


def organization_created(org_id: str, plan: Plan) -> str:
    """A message about an organization, so that its rate limit is that of the plan."""
    event = OrganizationCreated(org_id=org_id, slug="quiet", name="X", plan=plan, owner_id=USER, personal=False)
    return _message(event, org_id)


def _message(event: Event, org_id: str) -> str:
    ids = SystemIds()
    envelope = Envelope(
        id=ids.new(),
        source=SOURCE_PREFIX + event.owner(),
        type=event.event_type,
        time=SystemClock().now(),
        subject=event.subject(),
        dataschema=event.schema_path(),
        orgid=org_id,
        actor=USER,
        aggregateversion=1,
        correlationid=ids.new(),
        data=event.model_dump(mode="json", exclude_none=True),
    )
    detail = envelope.model_dump_json(exclude_none=True)
    return f'{{"source":"{envelope.source}","detail-type":"{envelope.type}","detail":{detail}}}'

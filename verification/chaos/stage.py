"""Stages for a storm: all on one embedded AWS, each with a fault proxy and processes of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from aiohttp import web

from chassis.auth.development import ISSUER, DevelopmentIssuer
from chassis.clock import SystemClock
from chassis.declare.resource_names import Names
from deploy.aws import REGION
from deploy.embedded.emulator import Emulator, emulator_venv
from deploy.embedded.ports import HOST
from deploy.errors import EmulatorError
from deploy.local.run_provision import service_environment
from deploy.package.packaging import interpreter_of
from deploy.services import ROOT
from deploy.stage.stage import deploy, prepare, synthesize
from deploy.template import Target
from verification.chaos.faults import Faults, Rates
from verification.chaos.fleet import Fleet
from verification.chaos.process import Plant
from verification.chaos.proxy import FaultProxy

SERVICES = ("tenancy", "tasks", "notify", "audit", "analytics")
"""The services in the storm. Tokens come from the development issuer, so identity is not needed."""
TOKENS_SINCE = timedelta(hours=2)
"""Age of the tokens, so that they are not from the future for any jumping clock."""
CACHE = ROOT / ".local/deploy"


class _EarlierClock(SystemClock):
    def now(self) -> datetime:
        return super().now() - TOKENS_SINCE


class IssuerServer:
    """The development issuer, with a server that gives its keys to the services."""

    def __init__(self) -> None:
        self.tokens = DevelopmentIssuer(_EarlierClock(), issuer=replace(ISSUER, jwks_url=""))
        self._runner: web.ServerRunner | None = None
        self.environment: dict[str, str] = {}

    async def start(self) -> None:
        async def serve_keys(_: web.BaseRequest) -> web.Response:
            return web.json_response(self.tokens.keys())

        self._runner = web.ServerRunner(web.Server(serve_keys, access_log=None))
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        issuer = self.tokens.issuer
        self.environment = {
            "TENFOLD_ISSUER": issuer.issuer,
            "TENFOLD_CLIENT_ID": issuer.client_id,
            "TENFOLD_JWKS_URL": f"http://{HOST}:{self._runner.addresses[0][1]}/",
        }

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()


@dataclass(frozen=True)
class ChaosStage:
    """A deployed stage with its fault proxy and its processes."""

    name: str
    emulator: Emulator
    proxy: FaultProxy
    issuer: IssuerServer
    fleet: Fleet

    @property
    def names(self) -> Names:
        return Names(self.name)

    @property
    def faults(self) -> Faults:
        return self.proxy.faults


@asynccontextmanager
async def run_emulator(folder: Path) -> AsyncIterator[Emulator]:
    """Run an embedded AWS whose state is thrown away: saving it would take longer than some tests."""
    emulator = Emulator(folder / "aws")
    await asyncio.to_thread(emulator.start)
    try:
        yield emulator
    finally:
        with contextlib.suppress(EmulatorError):  # says that it was killed
            await asyncio.to_thread(emulator.stop, 0)


@asynccontextmanager
async def start_stage(
    emulator: Emulator,
    folder: Path,
    name: str,
    *,
    seed: int,
    rates: Rates | None = None,
    services: Sequence[str] = SERVICES,
    plant: Plant = Plant.NOTHING,
) -> AsyncIterator[ChaosStage]:
    """Deploy `services` and start them, still without faults; their logs are in `folder`."""
    proxy, issuer = FaultProxy(emulator.endpoint_url, Faults(seed, rates or Rates())), IssuerServer()
    async with contextlib.AsyncExitStack() as stack:
        await proxy.start()
        stack.push_async_callback(proxy.stop)
        await issuer.start()
        stack.push_async_callback(issuer.stop)
        stacks = await asyncio.to_thread(_deploy, emulator, name, services)
        environments = {
            service: service_environment(
                service,
                stage=name,
                endpoint_url=proxy.url,
                public_url=proxy.url,
                traces_url="",
                port=0,
                root=ROOT,
                stack=stacks[service],
            )
            | issuer.environment
            | {"TENFOLD_LOG_LEVEL": "WARNING"}
            for service in services
        }
        for environment in environments.values():
            del environment["OTEL_EXPORTER_OTLP_ENDPOINT"]  # nobody listens to traces here
        fleet = Fleet(environments, folder / name, plant)
        stack.push_async_callback(fleet.close)
        await fleet.start_all()
        yield ChaosStage(name, emulator, proxy, issuer, fleet)


def _deploy(emulator: Emulator, name: str, services: Sequence[str]) -> dict[str, dict[str, str]]:
    interpreter = interpreter_of(emulator_venv())
    plan = synthesize(Target(name, local=True, runtime=interpreter.runtime), only=services)
    packages: dict[str, Path] = {}
    if plan.services_with_functions:
        packages = prepare(plan, interpreter, CACHE, region=REGION, progress=lambda _: None)
    return deploy(emulator.aws, plan, packages, progress=lambda _: None)

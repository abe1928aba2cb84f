"""The whole system on this machine: starts all its parts, watches them, and stops them in order."""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from chassis.declare.resource_names import Names
from deploy.embedded.emulator import Emulator
from deploy.embedded.emulator_mailbox import Mail
from deploy.embedded.external_emulator import ExternalEmulator
from deploy.embedded.ports import HOST, free_port, is_free, remembered_port
from deploy.errors import DeployError, LocalError
from deploy.local.child import READY_SECONDS, STOP_SECONDS, Child
from deploy.local.gateway import TRACES_PATH, Gateway
from deploy.local.lock import FolderLock
from deploy.local.provision import Order
from deploy.local.queue_mailbox import QueueMailbox
from deploy.local.routes import RouteTable
from deploy.local.run_provision import issuer_environment, run_provision, service_environment
from deploy.local.traces import Traces, TraceWriter
from deploy.services import ROOT, require_service, service_names

WATCH_SECONDS = 0.5
SES = "sesv2"


def service_command(name: str) -> list[str]:
    """The command line of a service's process."""
    return [sys.executable, "-m", "chassis.runtime.run", name]


class LocalSystem:
    """The embedded AWS, the deployed stage, a process for each service, the front door and the trace receiver.

    Everything is kept in `state_dir` and survives stop(): data, logs, the ports. `port` is the front door's; without
    one it is chosen once and remembered. `progress` gets short texts about what is going on. With `lambdas` the
    services are functions of the embedded AWS: there are no processes to start, stop or kill. With `enforced` the
    embedded AWS enforces IAM, and each service has the permissions of its stack only (for 12 hours from its start).
    `external_emulator` is an AWS that somebody else runs, in place of the embedded one; `without` are the AWS services
    that it lacks. Use as an async context manager, or start() and stop(); all methods belong to one event loop.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        stage: str = "local",
        port: int | None = None,
        root: Path = ROOT,
        cache: Path = ROOT / ".local/deploy",
        command: Callable[[str], Sequence[str]] = service_command,
        progress: Callable[[str], None] = lambda _: None,
        extra_routes: tuple[web.RouteDef, ...] = (),
        lambdas: bool = False,
        enforced: bool = False,
        external_emulator: ExternalEmulator | None = None,
        without: Collection[str] = (),
    ) -> None:
        self.state_dir, self.stage, self._root, self._cache = state_dir.resolve(), stage, root, cache
        self._command, self._progress, self._extra = command, progress, extra_routes
        self.port = remembered_port(self.state_dir / "port", port)
        self.emulator: Emulator | ExternalEmulator = external_emulator or Emulator(
            self.state_dir / "emulator", enforced=enforced
        )
        self.without = frozenset(without)
        self._mailbox: QueueMailbox | None = None
        self._children: dict[str, Child] = {}
        self._routes = RouteTable()
        self._writer = TraceWriter(self.traces_path)
        self._lock = FolderLock(self.state_dir)
        self._gateway: Gateway | None = None
        self._session: aiohttp.ClientSession | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._reported: set[str] = set()
        self._lambdas, self._enforced, self._api_url = lambdas, enforced, ""

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def traces_path(self) -> Path:
        return self.state_dir / "traces.sqlite"

    @property
    def traces(self) -> Traces:
        return Traces(self.traces_path)

    @property
    def services(self) -> tuple[str, ...]:
        return service_names(self._root)

    def mail(self) -> list[Mail]:
        """Every e-mail so far, oldest first. Blocks. Raises DeployError if the mailbox does not answer."""
        if not self.without:
            return self.emulator.mailbox()
        self._mailbox = self._mailbox or QueueMailbox(self.emulator.aws, Names(self.stage))
        sent = [] if SES in self.without else self.emulator.mailbox()
        return sorted([*self._mailbox.read(), *sent], key=lambda mail: mail.sent_at)

    def log(self, service: str) -> Path:
        return self.state_dir / "logs" / f"{service}.log"

    def pid(self, service: str) -> int | None:
        """The process id of a service; None while it does not run."""
        child = self._children.get(service)
        return child.pid if child else None

    def environment(self, service: str) -> dict[str, str]:
        """The variables of a service's process. Raises DeployError before the first start(), and for an unknown one."""
        return self._child(service).environment

    def address(self, service: str) -> str | None:
        """The base URL to which the front door forwards a service's requests; None while it does not run."""
        if self._lambdas:
            return self._api_url
        child = self._children.get(service)
        return child.base_url if child and child.alive else None

    async def start(self) -> None:
        """Start everything, and wait until every service is ready. If it raises (DeployError), nothing runs."""
        self._lock.take()
        try:
            if not is_free(self.port):
                raise LocalError(f"port {self.port} is in use by another program; stop that, or set TENFOLD_PORT")
            self._session = aiohttp.ClientSession()
            await self._start_aws_and_deploy()
            self._writer.start()
            self._gateway = Gateway(self.port, self._routes, self.address, self._writer, self._extra)
            await self._gateway.start()
            self._progress(f"starting {len(self._children)} services")
            await asyncio.gather(*(self.start_service(name) for name in self._children))
            self._watcher = asyncio.create_task(self._watch())
        except BaseException:
            await self.stop()
            raise

    async def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Stop everything: the services (SIGTERM, SIGKILL after `seconds`), the front door, the embedded AWS."""
        if self._watcher:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
            self._watcher = None
        ended = await asyncio.gather(*(child.stop(seconds) for child in self._children.values()))
        for child, by_itself in zip(self._children.values(), ended, strict=True):
            if not by_itself:
                self._progress(f"{child.name} did not stop in {seconds:.0f} s and was killed")
        if self._gateway:
            await self._gateway.stop()
        await asyncio.to_thread(self._writer.stop)
        if self._session:
            await self._session.close()
        await asyncio.to_thread(self.emulator.stop)
        self._lock.release()

    async def start_service(self, service: str, seconds: float = READY_SECONDS) -> None:
        """Start one service and wait until it is ready and its routes are known. Raises LocalError if it dies."""
        child, session = self._child(service), self._session
        if session is None or session.closed:
            raise LocalError("the system is not started")
        child.start()
        self._reported.discard(service)
        await child.ready(session, seconds)
        limit = aiohttp.ClientTimeout(total=10)
        async with session.get(f"{child.base_url}/openapi.json", timeout=limit) as answer:
            self._routes.set(service, await answer.json())
        self._progress(f"{service} is ready")

    async def stop_service(self, service: str, seconds: float = STOP_SECONDS) -> None:
        """Stop one service while the others go on; its routes then answer 503."""
        await self._child(service).stop(seconds)

    async def restart_service(self, service: str) -> None:
        """Stop and start one service; its code is read again."""
        await self.stop_service(service)
        await self.start_service(service)

    async def redeploy(self) -> None:
        """Deploy the present declarations. Processes get new variables at their next start.

        Raises LocalError with the first cause."""
        traces_url = f"{self.base_url}{TRACES_PATH}"
        shared = {"OTEL_EXPORTER_OTLP_ENDPOINT": traces_url, "TENFOLD_PUBLIC_URL": self.base_url}
        shared |= issuer_environment(self.base_url, self.without)
        order = Order(
            self.stage,
            self.emulator.endpoint_url,
            self._root,
            self._cache,
            self._lambdas,
            tuple(shared.items()),
            tuple(sorted(self.without)),
            self._enforced,
        )
        provisioned = await run_provision(order, self.log("deploy"), self._progress)
        if self._lambdas:
            self._api_url = provisioned.api_url or ""
            for name, document in provisioned.documents.items():
                self._routes.set(name, document)
            return
        for name, stack in provisioned.environments.items():
            child = self._children.get(name)
            port = child.port if child else free_port([other.port for other in self._children.values()])
            environment = service_environment(
                name,
                stage=self.stage,
                endpoint_url=self.emulator.endpoint_url,
                port=port,
                root=self._root,
                public_url=self.base_url,
                traces_url=traces_url,
                stack=stack,
                without=self.without,
            )
            if child:
                child.environment = environment
            else:
                self._children[name] = Child(
                    name, port, self._command(name), environment, state_dir=self.state_dir, cwd=self._root
                )

    def kill(self, service: str) -> None:
        """SIGKILL one service, like a crash."""
        self._child(service).kill()

    def status(self) -> dict[str, str]:
        """The state of each part: "running", "stopped" or "died"."""
        parts = {
            name: "running" if child.alive else "died" if child.wanted else "stopped"
            for name, child in sorted(self._children.items())
        }
        try:
            self.emulator.check()
        except DeployError:
            return {"aws": "died", **parts}
        return {"aws": "running", **parts}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _start_aws_and_deploy(self) -> None:
        self._progress("starting the embedded AWS")
        # Declarations are read and checked while the emulator starts.
        starting = asyncio.create_task(asyncio.to_thread(self.emulator.start))
        deploying = asyncio.create_task(self.redeploy())
        try:
            await asyncio.shield(starting)  # a thread cannot be cancelled: it is waited for below, then stopped
            await deploying
        finally:
            deploying.cancel()
            await asyncio.gather(starting, deploying, return_exceptions=True)

    async def _watch(self) -> None:
        """Report each part that died by itself, once. Nothing is started again: a crash should be seen."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            checks = [("aws", self.emulator.check), *((name, child.check) for name, child in self._children.items())]
            for name, check in checks:
                try:
                    check()
                except DeployError as error:
                    if name not in self._reported:
                        self._reported.add(name)
                        self._progress(str(error))

    def _child(self, service: str) -> Child:
        if service not in self._children:
            require_service(service, self._root)
            raise LocalError(f"the system is not started, so {service} has no process")
        return self._children[service]

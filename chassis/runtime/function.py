"""The base of a service's Lambda functions: wired while the function initializes, connected at the first invocation, on
one event loop that lives as long as the process."""

import asyncio
import os
from collections.abc import Coroutine
from typing import Any, TypeVar

from opentelemetry.sdk.trace import TracerProvider

from chassis.aws.client import Aws
from chassis.declare.service import Service, service
from chassis.declare.settings import Settings
from chassis.runtime.bootstrap import make_context
from chassis.telemetry.logs import set_up_logs
from chassis.telemetry.tracing import set_up_tracing

T = TypeVar("T")
FLUSH_MILLISECONDS = 1000


class Function:
    """The service's context in a function. Nothing is opened and no id is made before the first invocation, since
    SnapStart resumes many copies of one initialized process: a connection would be dead in all of them, and an id the
    same."""

    def __init__(self, declared: Service, settings: Settings, tracing: TracerProvider | None = None) -> None:
        self.service, self.settings = declared, settings
        self.aws = Aws(settings.aws_region, settings.aws_endpoint_url)
        self.context = make_context(declared, settings, self.aws)
        self._tracing = tracing
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)  # Mangum runs on the one that is set

    @classmethod
    def from_environment(cls) -> "Function":
        """The function of the service in TENFOLD_SERVICE. Raises KeyError or ImportError if that names no service."""
        declared = service(os.environ["TENFOLD_SERVICE"])
        settings = Settings(tenfold_service=declared.name)
        set_up_logs(declared.name, settings.tenfold_log_level)
        return cls(declared, settings, set_up_tracing(declared.name, settings.otel_exporter_otlp_endpoint))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run one invocation's work."""
        try:
            return self._loop.run_until_complete(self.connect_and_run(work))
        finally:
            self.export_spans()

    async def connect_and_run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` with the AWS clients open. Its events are published before this returns, since the process is then
        frozen."""
        try:
            await self.aws.open()  # does nothing the second time
        except BaseException:
            work.close()
            raise
        try:
            return await work
        finally:
            await self.context.outbox.flush()

    def export_spans(self) -> None:
        """Send the exporter's spans before the process is frozen, within a second."""
        if self._tracing is not None:
            self._tracing.force_flush(FLUSH_MILLISECONDS)

    def close(self) -> None:
        """For tests: Lambda never announces the end."""
        self._loop.run_until_complete(self.aws.close())
        self._loop.close()

"""`python -m chassis.runtime.run tasks`: one service's process."""

import asyncio
import sys

from chassis.declare.service import service
from chassis.declare.settings import Settings
from chassis.runtime.bootstrap import MakeContext, make_context
from chassis.runtime.process import run
from chassis.telemetry.logs import set_up_logs
from chassis.telemetry.tracing import set_up_tracing


def main(arguments: list[str], compose: MakeContext = make_context) -> int:
    """Run the service that `arguments` name; `compose` makes its context. Returns the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m chassis.runtime.run SERVICE\n")
        return 2
    try:
        declared = service(arguments[0])
    except ModuleNotFoundError as error:
        sys.stderr.write(f"No service {arguments[0]!r}: {error}. Services are the folders under services/.\n")
        return 2
    settings = Settings(tenfold_service=declared.name)
    set_up_logs(declared.name, settings.tenfold_log_level)
    tracing = set_up_tracing(declared.name, settings.otel_exporter_otlp_endpoint)
    try:
        asyncio.run(run(declared, settings, compose))
    finally:
        if tracing is not None:
            tracing.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

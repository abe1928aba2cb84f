"""Running the canned SQS for a section."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.processes import RunFailed, child, end, free_port


@contextmanager
def running_stub(latency: float) -> Iterator[str]:
    """Run a canned SQS that answers every call after `latency` seconds. Yields its address. Raises RunFailed."""
    port = free_port()
    process = child("bench.stub", str(port), str(latency))
    try:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise RunFailed("the canned SQS did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        end(process)

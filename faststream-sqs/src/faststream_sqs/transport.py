"""How the broker reaches SQS."""

from collections.abc import Mapping
from typing import Any, Protocol

# Every call but a long poll answers at once or is given up.
CALL_TIMEOUT = 10.0


class Transport(Protocol):
    """A client of AWS: `awsjson.AwsJson` is one. Errors are exceptions with the service's `code`."""

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]: ...


class SQSCalls:
    """SQS behind a transport, each call with a timeout."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    async def __call__(
        self, operation: str, params: Mapping[str, Any], *, patience: float = CALL_TIMEOUT
    ) -> dict[str, Any]:
        return await self.transport.call("sqs", operation, params, timeout=patience)

"""Transports: how the broker reaches SQS."""

from collections.abc import Mapping
from typing import Any, Protocol

# In seconds. Every call except a long poll is answered at once or given up.
CALL_TIMEOUT = 10.0


class Transport(Protocol):
    """An AWS client, for example `awsjson.AwsJson`. Errors are exceptions with the service's `code`."""

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]: ...


class SQSCalls:
    """Calls of SQS through a transport, each with a timeout."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    async def __call__(
        self, operation: str, params: Mapping[str, Any], *, patience: float = CALL_TIMEOUT
    ) -> dict[str, Any]:
        return await self.transport.call("sqs", operation, params, timeout=patience)

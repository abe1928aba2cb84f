"""moto behind botocore, called from one thread, because its state is wrong when several use it."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from awsjson import BotoThreads, StaticCredentials

LONGEST_POLL = 0.6
PAUSE = 0.02


class MotoSQS(BotoThreads):
    """A transport whose long polls repeat short ones, so that they do not occupy the thread, and end early."""

    def __init__(self) -> None:
        super().__init__(region="eu-central-1", credentials=StaticCredentials("test", "test"), threads=1)

    async def call(self, service: str, operation: str, params: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        if operation != "ReceiveMessage":
            return await super().call(service, operation, params, **options)
        deadline = time.monotonic() + min(LONGEST_POLL, params.get("WaitTimeSeconds", 0))
        while True:
            answer = await super().call(service, operation, {**params, "WaitTimeSeconds": 0}, **options)
            if answer.get("Messages") or time.monotonic() >= deadline:
                return answer
            await asyncio.sleep(PAUSE)

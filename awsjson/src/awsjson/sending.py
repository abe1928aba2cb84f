"""One attempt of a call: the signature, the connection, and a typed answer or error."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from awsjson import answers
from awsjson.config import Faults
from awsjson.environment import Target
from awsjson.errors import AwsError, ConnectionFailed, DeadlineExceeded
from awsjson.keys import EXPIRED_CODES, Keys
from awsjson.service import Operation
from awsjson.signing import SKEW_CODES, Clock, sign


@dataclass(slots=True)
class Call:
    """One call and the state of its attempts."""

    target: Target
    url: URL
    operation: Operation
    params: Mapping[str, Any]
    body: bytes
    attempt_timeout: float
    deadline: float | None
    retry_unknown: bool
    attempts: int = 0
    spent: int = 0
    outcome_unknown: bool = False
    # mistakes on our side that an attempt revealed and corrected; each allows one more attempt at once
    clock_corrected: bool = False
    keys_corrected: bool = False
    corrected_now: bool = False
    status: int = 0
    request_id: str = ""


class Sender:
    """Sends the attempts of one client."""

    def __init__(self, session: aiohttp.ClientSession, keys: Keys, clock: Clock, faults: Faults | None) -> None:
        self.session = session
        self._keys = keys
        self._clock = clock
        self._faults = faults

    async def attempt(self, call: Call) -> dict[str, Any]:
        """Sends the call once and returns the answer. Raises AwsError."""
        service, operation = call.target.service.name, call.operation.name
        call.attempts += 1
        call.corrected_now = False
        if self._faults is not None:
            await self._faults.before(service, operation, call.params)
        limit = call.attempt_timeout
        if call.deadline is not None:
            limit = min(limit, call.deadline - asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(limit):
                answer = await self._send(call)
        except aiohttp.ConnectionTimeoutError as error:
            raise ConnectionFailed(
                f"no connection to {call.url} in time", service=service, operation=operation
            ) from error
        except TimeoutError as error:
            raise DeadlineExceeded(f"no answer in {limit:.3g} s", service=service, operation=operation) from error
        except aiohttp.ClientConnectorError as error:
            raise ConnectionFailed(str(error), service=service, operation=operation) from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise ConnectionFailed(repr(error), sent=True, service=service, operation=operation) from error
        if self._faults is not None:
            await self._faults.after(service, operation, call.params)
        return answer

    async def _send(self, call: Call) -> dict[str, Any]:
        headers, keys = call.operation.headers, None
        if not call.operation.unsigned:
            keys = await self._keys.current()
            headers = sign(call.target, headers, call.body, keys, self._clock.now())
        async with self.session.post(call.url, data=call.body, headers=headers, allow_redirects=False) as response:
            raw = await response.read()
        call.status, call.request_id = response.status, response.headers.get("x-amzn-RequestId", "")
        try:
            return answers.result(call.target.service, call.operation, response.status, response.headers, raw)
        except AwsError as error:
            if error.code in SKEW_CODES and not call.clock_corrected:
                call.clock_corrected = call.corrected_now = self._clock.learn(response.headers.get("Date"))
            elif error.code in EXPIRED_CODES and keys is not None and not call.keys_corrected:
                call.keys_corrected = call.corrected_now = await self._keys.replace(keys)
            raise

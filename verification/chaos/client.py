"""A well-behaved client: it repeats unanswered commands with the same Idempotency-Key, and logs acknowledgements."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TextIO

import aiohttp

from verification.simulation.ledger import Command, Effect

TRY_SECONDS = 20.0
PATIENCE_SECONDS = 300.0
"""For one command with all its tries: no storm lasts so long without a pause."""
LONGEST_PAUSE = 2.0
WAIT_KINDS = ("not-yet", "changed-meanwhile")
Call = tuple[str, str, str]
"""Service, method, path."""


@dataclass
class Log:
    """The clients' log of commands and answers. `crashes` are answers with status 500.

    `refused` are commands that were refused at once, `repeats_refused` those whose earlier try had no answer and may
    have been executed. Every command is valid, so both must stay empty.
    """

    file: TextIO
    commands: list[Command] = field(default_factory=list)
    repeats_refused: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    """By status; 0 means no answer."""
    without_retry_after: list[str] = field(default_factory=list)
    """5xx answers without Retry-After."""

    @property
    def acknowledgements(self) -> int:
        return sum(command.acknowledged for command in self.commands)

    def write(self, command: Command, status: int) -> None:
        line = {"number": command.number, "kind": command.kind, "status": status, "tries": command.tries}
        self.file.write(json.dumps({**line, "effects": [[e.type, e.identity] for e in command.effects]}) + "\n")
        self.file.flush()


@dataclass
class Answer:
    """Answer to one try; status 0 if there was none."""

    status: int
    body: Any = None
    retry_after: str | None = None

    @property
    def acknowledges(self) -> bool:
        return 200 <= self.status < 300

    @property
    def asks_to_retry(self) -> bool:
        if self.status in {0, 429} or self.status >= 500:
            return True
        return self.status == 409 and any(kind in str(self.body.get("type")) for kind in WAIT_KINDS)


class Client:
    """HTTP client of everybody. `base_url` gives the present address of a service."""

    def __init__(self, session: aiohttp.ClientSession, base_url: Callable[[str], str], log: Log, seed: int) -> None:
        self._session, self._base_url, self.log = session, base_url, log
        self._dice = random.Random(seed)

    async def ask(self, kind: str, token: str, call: Call, body: Any, effects: list[Effect]) -> Any:
        """Send a command until it is acknowledged or refused.

        Returns the body of the answer, or None if the command was refused or never answered.
        """
        command = Command(len(self.log.commands) + 1, kind, token, *call, body, effects)
        self.log.commands.append(command)
        deadline, pause, unanswered = time.monotonic() + PATIENCE_SECONDS, 0.05, False
        while time.monotonic() < deadline:
            command.tries += 1
            answer = await self.send(command)
            if answer.acknowledges:
                command.acknowledged = True
                self.log.write(command, answer.status)
                return answer.body
            if not answer.asks_to_retry:
                command.refused = answer.status
                self.log.write(command, answer.status)
                refusal = f"{command.kind} {command.number}: {answer.status} {answer.body}"
                (self.log.repeats_refused if unanswered else self.log.refused).append(refusal)
                return None
            unanswered |= answer.status == 0 or answer.status >= 500
            await asyncio.sleep(pause * self._dice.uniform(0.5, 1))
            pause = min(2 * pause, LONGEST_PAUSE)
        self.log.write(command, 0)
        return None

    async def send(self, command: Command) -> Answer:
        """Try a command once; the status is 0 if there is no answer."""
        headers = {"Authorization": f"Bearer {command.token}", "Idempotency-Key": f"command-{command.number}"}
        url = self._base_url(command.service) + command.path
        try:
            async with self._session.request(
                command.method,
                url,
                json=command.body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=TRY_SECONDS),
            ) as response:
                body = await response.json(content_type=None) if response.status != 204 else None
                answer = Answer(response.status, body, response.headers.get("Retry-After"))
        except (aiohttp.ClientError, TimeoutError, ValueError):
            answer = Answer(0)
        self.log.answers[answer.status] += 1
        if answer.status == 500:
            self.log.crashes.append(f"{command.method} {command.path}: {answer.body}")
        if answer.status >= 500 and answer.retry_after is None:
            self.log.without_retry_after.append(f"{command.method} {command.path}: {answer.status}")
        return answer

    async def read(self, token: str, service: str, path: str) -> Any:
        """The body of a GET's answer, tried once. Raises aiohttp.ClientError unless it succeeds."""
        async with self._session.get(
            self._base_url(service) + path,
            headers={"Authorization": f"Bearer {token}"},
            timeout=aiohttp.ClientTimeout(total=TRY_SECONDS),
            raise_for_status=True,
        ) as response:
            return await response.json()

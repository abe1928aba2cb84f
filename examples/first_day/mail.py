"""The mailroom, where people read their e-mails."""

import asyncio
import re
import time
from collections.abc import Callable

from deploy.embedded.emulator_mailbox import Mail
from examples.first_day.client import UnexpectedAnswerError

CODE = re.compile(r"\b(\d{6})\b")
LINK = re.compile(r"invitations/accept\?token=([\w-]+)")
PAUSE = 0.15


class Mailroom:
    """The mailbox of the environment, which `read` (a blocking call) reads as a whole.

    Many people wait for e-mails at once, so it is read once for all of them.
    """

    def __init__(self, read: Callable[[], list[Mail]], ignored: frozenset[str] = frozenset()) -> None:
        self._read = read
        self._mails: list[Mail] = []
        self._fetched = 0.0
        self._lock = asyncio.Lock()
        self.ignored = ignored

    async def all(self, fresher_than: float | None = None) -> list[Mail]:
        wanted = time.monotonic() - PAUSE if fresher_than is None else fresher_than
        async with self._lock:
            if self._fetched < wanted:
                self._fetched = time.monotonic()
                self._mails = await asyncio.to_thread(self._read)
        return [mail for mail in self._mails if mail.message_id not in self.ignored]

    async def code(self, email: str, seconds: float = 30) -> str:
        """The confirmation code sent to `email`."""
        return await self._find(email, CODE, "confirmation code", seconds)

    async def invitation(self, email: str, seconds: float = 60) -> str:
        """The token of the invitation sent to `email`."""
        return await self._find(email, LINK, "invitation", seconds)

    async def count_emails(self, email: str) -> int:
        """The number of distinct e-mails that a member got, without confirmation codes and invitations."""
        mails = [mail for mail in await self.all() if email.lower() in (to.lower() for to in mail.to)]
        ours = {mail_id for mail in mails if (mail_id := mail.meta("x-event-id")) and not LINK.search(mail.text)}
        return len(ours)

    async def _find(self, email: str, what: re.Pattern[str], name: str, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for mail in reversed(await self.all()):
                if email.lower() in (to.lower() for to in mail.to) and (match := what.search(mail.text or mail.html)):
                    return match[1]
            await asyncio.sleep(PAUSE)
        raise UnexpectedAnswerError(f"no {name} for {email} arrived in {seconds:.0f} s")

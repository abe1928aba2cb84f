"""An HTTP client like that of a front end: it repeats what may be repeated, with the same idempotency key."""

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp

DEADLINE = 90.0
"""In seconds, for all attempts of one call: long enough for a killed service to restart."""
TRY_AGAIN = frozenset({502, 503, 504})
WAIT_KINDS = ("not-yet", "changed-meanwhile")
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class UnexpectedAnswerError(Exception):
    """The system gave an answer that the day does not expect."""


@dataclass
class Answer:
    status: int
    body: Any

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


@dataclass
class Api:
    """The API at one base URL, with the retries that every client needs. `retries` counts them."""

    base_url: str
    session: aiohttp.ClientSession
    retries: int = field(default=0)

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json: Any = None,
        data: bytes | None = None,
        content_type: str | None = None,
        expect: int | tuple[int, ...] = (200, 201, 202, 204),
        params: dict[str, str] | None = None,
    ) -> Answer:
        """Calls the API once. Raises UnexpectedAnswerError for a status that is not in `expect`, or after DEADLINE."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if content_type:
            headers["Content-Type"] = content_type
        if method in UNSAFE:
            headers["Idempotency-Key"] = uuid.uuid4().hex
        expected = (expect,) if isinstance(expect, int) else expect
        deadline, pause, answer = time.monotonic() + DEADLINE, 0.1, Answer(0, "no answer")
        while time.monotonic() < deadline:
            try:
                answer = await self._once(method, path, headers=headers, json=json, data=data, params=params)
            except (aiohttp.ClientError, TimeoutError) as error:
                answer = Answer(0, repr(error))
            if answer.status in expected:
                return answer
            waits = answer.status == 409 and any(kind in str(answer.body.get("type", "")) for kind in WAIT_KINDS)
            if answer.status != 0 and answer.status not in TRY_AGAIN and not waits:
                break
            self.retries += 1
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 1.0)
        raise UnexpectedAnswerError(f"{method} {path}: expected {expected}, got {answer.status}: {answer.body}")

    async def _once(self, method: str, path: str, **arguments: Any) -> Answer:
        limit = aiohttp.ClientTimeout(total=20)
        async with self.session.request(method, self.base_url + path, timeout=limit, **arguments) as answer:
            is_json = "json" in answer.headers.get("Content-Type", "")
            return Answer(answer.status, await answer.json() if is_json else await answer.text())

    async def pages(self, path: str, token: str, params: dict[str, str] | None = None) -> list[dict[str, Any]]:
        """All items of a list."""
        items: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.call("GET", path, token=token, params={"limit": "200", **(params or {}), **cursor})
            items += page["items"]
            if not page.body.get("next"):
                return items
            cursor = {"cursor": page["next"]}


@dataclass
class Person:
    """A person who has an account or is about to create one."""

    api: Api
    email: str
    name: str
    role: str = ""
    password: str = "Blue-Harbor-47!"  # noqa: S105  (a made-up person's)
    user_id: str = ""
    token: str = ""
    refresh_token: str = ""

    async def call(self, method: str, path: str, **arguments: Any) -> Answer:
        return await self.api.call(method, path, token=self.token, **arguments)

    async def sign_up(self, invitation_token: str | None = None) -> None:
        body = {"email": self.email, "password": self.password, "name": self.name}
        if invitation_token:
            body["invitation_token"] = invitation_token
        self.user_id = (await self.api.call("POST", "/v1/auth/sign-up", json=body, expect=201))["user_id"]

    async def confirm(self, code: str) -> None:
        await self.api.call("POST", "/v1/auth/confirm", json={"email": self.email, "code": code})

    async def sign_in(self) -> None:
        body = {"email": self.email, "password": self.password}
        answer = await self.api.call("POST", "/v1/auth/sign-in", json=body)
        self.token, self.refresh_token = answer["access_token"], answer["refresh_token"]

    async def refresh(self) -> None:
        body = {"refresh_token": self.refresh_token}
        answer = await self.api.call("POST", "/v1/auth/refresh", json=body)
        self.token = answer["access_token"]
        self.refresh_token = answer.body.get("refresh_token") or self.refresh_token

"""An HTTP request to an app in the same process, without a server or a client library."""

import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI


@dataclass(frozen=True)
class Answer:
    """Answer of an app."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def acknowledges(self) -> bool:
        return 200 <= self.status < 300

    @property
    def asks_to_retry(self) -> bool:
        """Whether the same request may get another answer later."""
        return self.status >= 500 or (self.status == 409 and "retry-after" in self.headers)

    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


async def ask(app: FastAPI, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Send a request. Returns the app's answer, even if the app crashed after sending it."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.1", 1),
        "server": ("simulation", 80),
    }
    status, response_headers, chunks = 500, {}, []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status, response_headers
        if message["type"] == "http.response.start":
            status = message["status"]
            response_headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            chunks.append(message.get("body", b""))

    try:
        await app(scope, receive, send)
    except Exception:
        # Starlette first sends its 500 and then raises, for the server's log.
        if status != 500:
            raise
    return Answer(status, response_headers, b"".join(chunks))

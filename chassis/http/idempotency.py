"""`Idempotency-Key`: a repeated unsafe request gets the first one's answer, and its effect exists once.

The answer is kept for 24 hours. The effect is guarded by itself: the request's unit of work claims the key in its own
transaction, so that a crash between commit and answer cannot carry it out twice.
"""

import hashlib
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from chassis.context import Claim, Scope
from chassis.errors import Invalid
from chassis.keys import Key
from chassis.table import Anything
from contracts.common import SYSTEM_ACTOR

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_KEY = 255
MAX_ANSWER = 200_000


def claim_for(request: Request, scope: Scope) -> Claim | None:
    """The claim of a request that carries the header: one person's, under the keys of `scope`. Of people that we do not
    know yet, only the same request is taken for the same person's. Raises Invalid for an unusable key."""
    value = request.headers.get(HEADER)
    if value is None or request.method not in UNSAFE:
        return None
    if not value or len(value) > MAX_KEY:
        raise Invalid(f"{HEADER} must have 1 to {MAX_KEY} characters.")
    who = request.state.fingerprint if scope.actor.id == SYSTEM_ACTOR else scope.actor.id
    digest = hashlib.sha256(f"{who}\n{request.method} {request.url.path}\n{value}".encode()).hexdigest()
    return Claim(scope.key("IDEMPOTENCY", digest), days=1, is_event=False)


class IdempotentRoute(APIRoute):
    """Replays the kept answer, or keeps the answer of what it lets through."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def idempotent(request: Request) -> Response:
            if HEADER not in request.headers or request.method not in UNSAFE:
                return await handle(request)
            content = f"{request.url.query}\n".encode() + await request.body()
            request.state.fingerprint = hashlib.sha256(content).hexdigest()
            try:
                response = await handle(request)
            except Replay as replay:
                return replay.response
            scope: Scope | None = getattr(request.state, "scope", None)
            if scope is not None and response.status_code < 300:
                await _keep(scope, request.state.fingerprint, response)
            return response

        return idempotent


class Replay(Exception):
    """Carries a kept answer past the route's function."""

    def __init__(self, response: Response) -> None:
        super().__init__("replayed")
        self.response = response


async def replay_if_known(request: Request, scope: Scope) -> None:
    """Called by the guard once it knows who asks. Raises Replay with the kept answer, or Invalid when the key was
    used for another body or query."""
    claim = scope.cause.claim
    request.state.scope = scope
    if claim is None or claim.is_event:
        return
    kept = await scope.table.get(_answer_key(claim))
    if kept is None:
        return
    if kept["fingerprint"] != request.state.fingerprint:
        raise Invalid(f"This {HEADER} was used for another request; use a fresh one.")
    headers = {"Content-Type": kept["content_type"], "Idempotency-Replayed": "true"}
    raise Replay(Response(kept["body"].encode(), kept["status"], headers))


async def _keep(scope: Scope, fingerprint: str, response: Response) -> None:
    claim = scope.cause.claim
    if claim is None or len(response.body) > MAX_ANSWER:
        return
    values = {
        "fingerprint": fingerprint,
        "status": response.status_code,
        "content_type": response.headers.get("content-type", "application/json"),
        "body": bytes(response.body).decode(),
    }
    unit = scope.unit(claimed=False)
    expires = int((scope.now() + KEPT).timestamp())
    unit.put(_answer_key(claim), values, expect=Anything(), expires_at=expires)
    await unit.commit()


def _answer_key(claim: Claim) -> Key:
    return Key(claim.key.pk, "ANSWER")

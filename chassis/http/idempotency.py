"""`Idempotency-Key`: a repeated unsafe request gets the first one's answer, and its effect exists once.

The answer is kept for 24 hours, in the transaction of the effect itself: wherever a process dies, either neither exists
or both do. So a repetition is answered before anything is checked against a state that may have changed since.
"""

import hashlib
from typing import Any

from fastapi import Request, Response

from chassis.errors import AlreadyHandled, Invalid
from chassis.http.rendering import Rendering
from chassis.storage.table import Item, OlderThan
from chassis.work.idempotency_claims import ANSWERED, IdempotencyClaim, ResponseRecorder, refuse_answered
from chassis.work.scope import Scope
from contracts.common import SYSTEM_ACTOR

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT_DAYS = 1
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_KEY = 255
MAX_ANSWER = 200_000
"""Bytes, for DynamoDB's items have 400 KB. Larger answers are not kept: the effects exist once all the same, and a
repetition is told so, or answered anew where nothing was changed."""


def is_keyed(request: Request) -> bool:
    return HEADER in request.headers and request.method in UNSAFE


async def fingerprint_of(request: Request) -> str:
    """Tells a repetition of a request from another one under the same key."""
    content = f"{request.url.query}\n".encode() + await request.body()
    return hashlib.sha256(content).hexdigest()


def idempotency_claim_for(request: Request, scope: Scope) -> IdempotencyClaim | None:
    """The claim of a request that carries the header: one person's, under the keys of `scope`. Of people that we do not
    know yet, only the same request is taken for the same person's, and no answer is kept: it may hold their tokens.
    Nor is an answer that is shown only once.

    Raises Invalid for an unusable key.
    """
    if not is_keyed(request):
        return None
    value = request.headers[HEADER]
    if not value or len(value) > MAX_KEY:
        raise Invalid(f"{HEADER} must have 1 to {MAX_KEY} characters.")
    known, fingerprint = scope.actor.id != SYSTEM_ACTOR, request.state.fingerprint
    who = scope.actor.id if known else fingerprint
    digest = hashlib.sha256(f"{who}\n{request.method} {request.url.path}\n{value}".encode()).hexdigest()
    recorder = _recorder(request.state.rendering) if known else None
    return IdempotencyClaim(
        scope.key("IDEMPOTENCY", digest), KEPT_DAYS, is_event=False, fingerprint=fingerprint, recorder=recorder
    )


def _recorder(rendering: Rendering | None) -> ResponseRecorder | None:
    return None if rendering is None else ResponseRecorder(lambda result: _if_small(rendering(result)))


def _if_small(response: Response) -> dict[str, Any] | None:
    return None if len(response.body) > MAX_ANSWER else _kept(response)


async def replay_if_known(request: Request, scope: Scope) -> None:
    """Called by the guard once it knows who asks. Raises AlreadyAnswered with the kept answer, or Invalid when the key
    was used for another body or query."""
    request.state.scope = scope
    if scope.cause.claim is not None:
        await refuse_answered(scope.table, scope.cause.claim)


def replayed(item: Item) -> Response:
    """The answer that was kept in a claim."""
    headers = {**item["headers"], REPLAYED: "true"}
    return Response(item["body"].encode(), item["status"], headers)


async def keep(request: Request, response: Response) -> None:
    """Keep an answer that no commit has kept: that of a request which changed nothing, or in several steps. Raises
    Answered when another try was faster, so that all of them are answered alike."""
    scope: Scope | None = getattr(request.state, "scope", None)
    claim = scope.cause.claim if scope else None
    if scope is None or claim is None or claim.recorder is None:
        return
    values = None if claim.recorder.done else _if_small(response)
    if values is None:
        return
    unit = scope.unit_of_work(claimed=False)
    expires = int(scope.now().timestamp()) + claim.days * 24 * 3600
    item = {"fingerprint": claim.fingerprint, "version": ANSWERED, **values}
    unit.put(claim.key, item, expect=OlderThan(ANSWERED), expires_at=expires)
    try:
        await unit.commit()
    except AlreadyHandled:
        await refuse_answered(scope.table, claim)


async def replay_if_done(request: Request) -> None:
    """Called when a request is refused or can't be finished. Raises AlreadyAnswered if a try of it was carried out
    after all: what it met is then its own effect, or what came after it, or another try in its way, or an answer of the
    store that got lost."""
    scope: Scope | None = getattr(request.state, "scope", None)
    if scope is not None and scope.cause.claim is not None:
        await refuse_answered(scope.table, scope.cause.claim)


def _kept(response: Response) -> dict[str, Any]:
    headers = {name: value for name, value in response.headers.items() if name in ("content-type", "etag")}
    return {"status": response.status_code, "headers": headers, "body": bytes(response.body).decode()}

"""`Idempotency-Key`: a repeated unsafe request gets the first one's answer, and its effect exists once.

The answer is recorded for 24 hours, in the transaction of the effect itself: wherever a process dies, either both exist
or neither does. So a repetition is answered before anything is checked against a state that may have changed since.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from chassis.errors import AlreadyHandled, Invalid
from chassis.http.rendering import Rendering
from chassis.storage.table import OlderThan
from chassis.work.idempotency_claims import ANSWERED, IdempotencyClaim, ResponseRecorder, refuse_answered
from chassis.work.scope import Scope
from contracts.common import SYSTEM_ACTOR

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT_DAYS = 1
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_KEY = 255
MAX_ANSWER = 200_000
"""Bytes, since DynamoDB's items have at most 400 KB. Larger answers are not recorded: the effect still exists once, and
a repetition is told so, or answered again if nothing was changed."""


def is_keyed(request: Request) -> bool:
    return HEADER in request.headers and request.method in UNSAFE


async def fingerprint_of(request: Request) -> str:
    """The hash that tells a repetition of a request from another request under the same key."""
    content = f"{request.url.query}\n".encode() + await request.body()
    return hashlib.sha256(content).hexdigest()


def idempotency_claim_for(request: Request, scope: Scope) -> IdempotencyClaim | None:
    """The claim of a request that carries the header, for its person and under the keys of `scope`. For people that we
    do not know yet, only an identical request counts as a repetition, and no answer is recorded, since it may contain
    their tokens. Nor is an answer that is shown only once.

    Raises Invalid for an unusable key.
    """
    if not is_keyed(request):
        return None
    value = request.headers[HEADER]
    if not value or len(value) > MAX_KEY:
        raise Invalid(f"{HEADER} must have 1 to {MAX_KEY} characters.")
    known, fingerprint = scope.actor.id != SYSTEM_ACTOR, request.state.fingerprint
    caller = scope.actor.id if known else fingerprint
    digest = hashlib.sha256(f"{caller}\n{request.method} {request.url.path}\n{value}".encode()).hexdigest()
    rendering: Rendering | None = request.state.rendering if known else None
    recorder = ResponseRecorder(lambda result: _recorded_values(rendering(result))) if rendering else None
    return IdempotencyClaim(
        scope.key("IDEMPOTENCY", digest), KEPT_DAYS, is_event=False, fingerprint=fingerprint, recorder=recorder
    )


def _recorded_values(response: Response) -> dict[str, Any] | None:
    """The part of a response that a claim records; None if it is too large."""
    if len(response.body) > MAX_ANSWER:
        return None
    headers = {name: value for name, value in response.headers.items() if name in ("content-type", "etag")}
    return {"status": response.status_code, "headers": headers, "body": bytes(response.body).decode()}


async def replay_if_known(request: Request, scope: Scope) -> None:
    """Called at the end of admission. Raises AlreadyAnswered with the recorded answer, or Invalid if the key was used
    for another body or query."""
    request.state.scope = scope
    if scope.cause.claim is not None:
        await refuse_answered(scope.table, scope.cause.claim)


def replay_of(item: Mapping[str, Any]) -> Response:
    """The response that a claim has recorded."""
    headers = {**item["headers"], REPLAYED: "true"}
    return Response(item["body"].encode(), item["status"], headers)


async def record_answer(request: Request, response: Response) -> None:
    """Record an answer that no commit has recorded: of a request that changed nothing, or that commits in several
    steps. Raises AlreadyAnswered if another try was faster, so that all tries get the same answer."""
    scope: Scope | None = getattr(request.state, "scope", None)
    claim = scope.cause.claim if scope else None
    if scope is None or claim is None or claim.recorder is None:
        return
    values = None if claim.recorder.done else _recorded_values(response)
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
    """Called when a request is refused or fails. Raises AlreadyAnswered if a try of it was carried out after all: then
    it met its own effect, a later change, a parallel try, or a lost answer of the store."""
    scope: Scope | None = getattr(request.state, "scope", None)
    if scope is not None and scope.cause.claim is not None:
        await refuse_answered(scope.table, scope.cause.claim)

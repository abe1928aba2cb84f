"""Idempotency claims: they let a piece of work happen once, and hold the answer that a repeated request gets.

A claim is an item that is written in the transaction of the effect, on the condition that it does not exist yet.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from chassis.errors import AlreadyAnswered, Invalid
from chassis.storage.keys import Key
from chassis.storage.table import Table

BEGUN, ANSWERED = 0, 1
"""The versions of a request's claim: carried out (or some steps of it), and carried out with its answer recorded."""


@dataclass
class ResponseRecorder:
    """Makes the part of a response that a claim keeps. `values(result)` is None for one that is too large; `done` is
    true once it was committed."""

    values: Callable[[Any], Mapping[str, Any] | None]
    done: bool = False


@dataclass(frozen=True)
class IdempotencyClaim:
    """The inbox key of an event, or a request's Idempotency-Key.

    `fingerprint` tells a repetition of a request from another request under the same key. Without a `recorder` the
    effect still happens once, but there is no recorded answer for a repetition.
    """

    key: Key
    days: int
    is_event: bool
    fingerprint: str = ""
    recorder: ResponseRecorder | None = field(default=None, compare=False)


async def refuse_answered(table: Table, claim: IdempotencyClaim) -> None:
    """Raises AlreadyAnswered if an earlier try has its answer, Invalid if the key was used for another request."""
    item = await table.get(claim.key)
    if item is None:
        return
    if item["fingerprint"] != claim.fingerprint:
        raise Invalid("This Idempotency-Key was used for another request; use a fresh one.")
    if item["version"] == ANSWERED:
        raise AlreadyAnswered(item)


def of_step(claim: IdempotencyClaim, step: str) -> IdempotencyClaim:
    """The claim on one step of a request that commits several. It records the step's result, not an answer."""
    key = replace(claim.key, sk=f"{claim.key.sk}#{step}")

    def record(result: BaseModel) -> Mapping[str, Any]:
        return {"result": result.model_dump(mode="json")}

    return replace(claim, key=key, recorder=ResponseRecorder(record) if claim.recorder else None)

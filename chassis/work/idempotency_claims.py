"""Claims: what makes a piece of work happen once, and where a repeated request finds the answer of its first try.

A claim is an item that is written in the transaction of the effect, on the condition that it is not there yet.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from chassis.errors import Invalid
from chassis.storage.keys import Key
from chassis.storage.table import Item, Table

BEGUN, ANSWERED = 0, 1
"""The versions of a request's claim: carried out (or some steps of it), and carried out with its answer kept."""


@dataclass
class ResponseRecorder:
    """`values` makes what is kept of a result, None of one that is too large; `done` tells that it was committed."""

    values: Callable[[Any], Mapping[str, Any] | None]
    done: bool = False


@dataclass(frozen=True)
class IdempotencyClaim:
    """The inbox key of an event, or a request's Idempotency-Key.

    `fingerprint` tells a repetition of a request from another one under the same key. Without a `keeper` the effect
    happens once all the same, but nothing is kept to answer with.
    """

    key: Key
    days: int
    is_event: bool
    fingerprint: str = ""
    recorder: ResponseRecorder | None = field(default=None, compare=False)


class AlreadyAnswered(Exception):
    """An earlier try of the same request was carried out; `item` holds what was kept of its result."""

    def __init__(self, item: Item) -> None:
        super().__init__("answered before")
        self.item = item


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
    """The claim on one step of the work. What is kept of a request's step is its result itself: the request is what is
    answered."""
    key = replace(claim.key, sk=f"{claim.key.sk}#{step}")
    return replace(claim, key=key, recorder=ResponseRecorder(_result) if claim.recorder else None)


def _result(result: BaseModel) -> Mapping[str, Any]:
    return {"result": result.model_dump(mode="json")}

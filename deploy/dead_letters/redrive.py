"""Sending dead letters back to their consumer, and giving them up.

A letter is sent before it is deleted, so a crash in between sends it twice and loses nothing: the event keeps its id,
and the consumer's inbox absorbs the second. For the same reason a second redrive changes nothing. They go one after
the other in the order of their events, so that those of an organization keep it.
"""

import math
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from faststream_sqs.settlement import SOURCE_MESSAGE_ID

from deploy.dead_letters.audit_events import dropped, record, redriven
from deploy.dead_letters.edit import edited
from deploy.dead_letters.letter import NOT_THE_SENDERS, DeadLetter
from deploy.dead_letters.queue import Box, Held
from deploy.dead_letters.target import asking_aws
from deploy.stage.errors import RefusedError

SCHEDULES = "schedules"
SPARE_SECONDS = 60


@dataclass(frozen=True)
class Pace:
    """At most `rate` letters a second."""

    rate: float = 20.0
    pause: Callable[[float], None] = field(default=time.sleep, repr=False)

    def seconds(self, count: int) -> int:
        return math.ceil(count / self.rate)


def bodies(letters: Sequence[DeadLetter], patch: dict[str, Any] | None) -> dict[str, str]:
    """What would be sent, by message id. Raises RefusedError if an edit is not allowed, before anything moves."""
    return {letter.message_id: letter.body if patch is None else edited(letter, patch) for letter in letters}


def check_can_be_redriven(box: Box) -> None:
    if box.subscription.endswith(f".{SCHEDULES}"):
        raise RefusedError(
            f"{box.subscription} are runs of schedules: the next run does what these could not; drop them"
        )


def redrive(box: Box, chosen: Collection[str], patch: dict[str, Any] | None, pace: Pace) -> int:
    """Send the letters with the message ids `chosen` back. Returns how many went.

    Raises RefusedError before anything moved, or StackError when it stops half-way: what is not sent is still there.
    """
    check_can_be_redriven(box)
    queue = box.url.removesuffix("-dlq")
    with box.held() as held:
        letters = _hold_only(held, chosen, pace)
        texts = bodies(letters, patch)
        if letters:
            record(box.where, letters, redriven(box.where, box.subscription, edited=patch is not None), _now())
        for at, letter in enumerate(letters):
            if at:
                pace.pause(1 / pace.rate)
            with asking_aws(f"send letter {at + 1} of {len(letters)} (what was not sent is still there; repeat it)"):
                box.where.aws.client("sqs").send_message(QueueUrl=queue, **_again(letter, texts[letter.message_id]))
            held.delete(letter)
    return len(letters)


def drop(box: Box, chosen: Collection[str], reason: str) -> int:
    """Record in each organization that its letters are given up, then delete them. Returns how many."""
    with box.held() as held:
        letters = _hold_only(held, chosen, Pace(rate=50))
        if letters:
            record(box.where, letters, dropped(box.where, box.subscription, reason), _now())
        for letter in letters:
            held.delete(letter)
    return len(letters)


def _hold_only(held: Held, chosen: Collection[str], pace: Pace) -> list[DeadLetter]:
    """Give back what is not chosen, and keep the rest for as long as it will take; in the order of their events."""
    letters = sorted((one for one in held.letters.values() if one.message_id in chosen), key=lambda one: one.order)
    others = [one for one in held.letters.values() if one.message_id not in chosen]
    held.hide(others, 0)
    for letter in others:
        del held.letters[letter.message_id]
    held.hide(letters, 2 * pace.seconds(len(letters)) + SPARE_SECONDS)
    return letters


def _again(letter: DeadLetter, body: str) -> dict[str, Any]:
    """SendMessage's parameters: the sender's attributes, and the identity that the letter had first."""
    senders = {name: value for name, value in letter.attributes.items() if name not in NOT_THE_SENDERS}
    source = {"DataType": "String", "StringValue": letter.source_id}
    params: dict[str, Any] = {"MessageBody": body, "MessageAttributes": senders | {SOURCE_MESSAGE_ID: source}}
    if letter.envelope:
        params["MessageGroupId"] = letter.org  # fair queues: as the rule had sent it
    return params


def _now() -> datetime:
    return datetime.now(UTC)

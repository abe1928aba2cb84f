"""Sends dead letters back to their consumer (redrive), and gives them up (drop).

A dead letter is sent before it is deleted, so a crash in between sends it twice and loses nothing: the event keeps its
id, and the consumer's inbox absorbs the second. For the same reason a second redrive changes nothing. They go one after
the other in the order of their events, so that the events of an organization stay in order.
"""

import math
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from deploy.dead_letters.audit_events import drop_events, record, redrive_events
from deploy.dead_letters.edit import edit_body
from deploy.dead_letters.letter import DeadLetter
from deploy.dead_letters.queue import DeadLetterQueue, HeldDeadLetters
from deploy.dead_letters.target import asking_aws
from deploy.errors import RefusedError

SCHEDULES = "schedules"
SPARE_SECONDS = 60


@dataclass(frozen=True)
class Pace:
    """At most `rate` dead letters per second."""

    rate: float = 20.0
    pause: Callable[[float], None] = field(default=time.sleep, repr=False)

    def seconds(self, count: int) -> int:
        return math.ceil(count / self.rate)


def bodies_to_send(dead_letters: Sequence[DeadLetter], patch: dict[str, Any] | None) -> dict[str, str]:
    """The bodies that would be sent, by message id. Raises RefusedError if an edit is not allowed, before anything
    moves."""
    return {each.message_id: each.body if patch is None else edit_body(each, patch) for each in dead_letters}


def refuse_schedules(queue: DeadLetterQueue) -> None:
    if queue.subscription.endswith(f".{SCHEDULES}"):
        raise RefusedError(
            f"{queue.subscription} are runs of schedules: the next run does what these could not; drop them"
        )


def redrive(queue: DeadLetterQueue, message_ids: Collection[str], patch: dict[str, Any] | None, pace: Pace) -> int:
    """Send the dead letters with these message ids back. Returns how many went.

    Raises RefusedError before anything moved, or StackError when it stops half-way: what is not sent is still there.
    """
    refuse_schedules(queue)
    stage, live_queue = queue.stage, queue.url.removesuffix("-dlq")
    with queue.hold() as held:
        selected = _hold_only(held, message_ids, pace)
        bodies = bodies_to_send(selected, patch)
        if selected:
            make = redrive_events(stage, queue.subscription, edited=patch is not None)
            record(stage, selected, make, datetime.now(UTC))
        for at, dead_letter in enumerate(selected):
            if at:
                pace.pause(1 / pace.rate)
            with asking_aws(
                f"send dead letter {at + 1} of {len(selected)} (what was not sent is still there; repeat it)"
            ):
                message = dead_letter.as_message(bodies[dead_letter.message_id])
                stage.aws.client("sqs").send_message(QueueUrl=live_queue, **message)
            held.delete(dead_letter)
    return len(selected)


def drop(queue: DeadLetterQueue, message_ids: Collection[str], reason: str) -> int:
    """Record in each organization that its dead letters are given up, then delete them. Returns how many."""
    with queue.hold() as held:
        selected = _hold_only(held, message_ids, Pace(rate=50))
        if selected:
            record(queue.stage, selected, drop_events(queue.stage, queue.subscription, reason), datetime.now(UTC))
        for dead_letter in selected:
            held.delete(dead_letter)
    return len(selected)


def _hold_only(held: HeldDeadLetters, message_ids: Collection[str], pace: Pace) -> list[DeadLetter]:
    """Give back what is not selected, and hold the rest for as long as sending takes. Returns it in the order of its
    events."""
    selected = sorted((each for each in held.by_id.values() if each.message_id in message_ids), key=lambda e: e.order)
    others = [each for each in held.by_id.values() if each.message_id not in message_ids]
    held.hide(others, 0)
    for dead_letter in others:
        del held.by_id[dead_letter.message_id]
    held.hide(selected, 2 * pace.seconds(len(selected)) + SPARE_SECONDS)
    return selected

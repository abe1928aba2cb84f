"""Audit events of what operators did to dead letters: per organization, kept by audit like every other event.

They go straight to the bus, which keeps what it accepts; there is no state of ours to commit them with. Their ids
follow from their contents, so a command that is repeated after a crash records the same thing once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from hashlib import blake2s

from contracts.event import SOURCE_PREFIX, Envelope, Event
from contracts.operations.v1 import LettersDropped, LettersRedriven
from deploy.dead_letters.letter import DeadLetter
from deploy.dead_letters.target import OperatedStage, asking_aws
from deploy.errors import StackError

DEAD_LETTERS_PER_RECORD = 100
MakeEvent = Callable[[Sequence[DeadLetter]], Event]


def drop_events(stage: OperatedStage, subscription: str, reason: str) -> MakeEvent:
    """The maker of events that say: these dead letters were given up, for that reason."""
    return lambda dead_letters: LettersDropped(
        subscription=subscription,
        count=len(dead_letters),
        message_ids=[each.message_id for each in dead_letters],
        event_types=_types(dead_letters),
        reason=reason,
        operator=stage.operator,
    )


def redrive_events(stage: OperatedStage, subscription: str, *, edited: bool) -> MakeEvent:
    """The maker of events that say: these dead letters were sent back."""
    return lambda dead_letters: LettersRedriven(
        subscription=subscription,
        count=len(dead_letters),
        message_ids=[each.message_id for each in dead_letters],
        event_types=_types(dead_letters),
        edited=edited,
        operator=stage.operator,
    )


def record(stage: OperatedStage, dead_letters: Iterable[DeadLetter], make: MakeEvent, now: datetime) -> int:
    """Publish what happens to `dead_letters`, per organization. Returns how many records the bus took.

    Raises StackError when it did not take one; then nothing may be done to the dead letters.
    """
    by_org: defaultdict[str, list[DeadLetter]] = defaultdict(list)
    for dead_letter in sorted(dead_letters, key=lambda each: each.message_id):
        by_org[dead_letter.org].append(dead_letter)
    envelopes = [
        _envelope(make(some[start : start + DEAD_LETTERS_PER_RECORD]), org, stage.operator, now)
        for org, some in sorted(by_org.items())
        for start in range(0, len(some), DEAD_LETTERS_PER_RECORD)
    ]
    for envelope in envelopes:
        entry = {
            "EventBusName": stage.names.bus,
            "Source": envelope.source,
            "DetailType": envelope.type,
            "Detail": envelope.model_dump_json(exclude_none=True),
        }
        with asking_aws("record what is about to be done, so nothing was done"):
            answer = stage.aws.client("events").put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            reason = answer["Entries"][0].get("ErrorMessage", "no reason given")
            raise StackError(f"the bus refuses the record, so nothing was done: {reason}")
    return len(envelopes)


def _envelope(event: Event, org: str, operator: str, now: datetime) -> Envelope:
    event_id = blake2s(f"{event.event_type} {org} {event.model_dump_json()}".encode(), digest_size=16).hexdigest()
    return Envelope(
        id=event_id,
        source=SOURCE_PREFIX + event.owner(),
        type=event.event_type,
        time=now,
        subject=event.subject(),
        dataschema=event.schema_path(),
        orgid=org,
        actor=operator,
        aggregateversion=0,
        correlationid=event_id,
        data=event.model_dump(mode="json", exclude_none=True),
    )


def _types(dead_letters: Sequence[DeadLetter]) -> list[str]:
    return sorted({each.type for each in dead_letters if each.type})

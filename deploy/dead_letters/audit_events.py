"""The records of what operators did: one event an organization, which audit keeps as it keeps every other.

They go straight to the bus, which keeps what it accepts; there is no state of ours that they would have to commit with.
Their ids follow from what they tell, so that a command repeated after a crash tells it once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import blake2s

from contracts.event import SOURCE_PREFIX, Envelope, Event
from contracts.operations.v1 import LettersDropped, LettersRedriven
from deploy.dead_letters.letter import DeadLetter
from deploy.dead_letters.target import Where, asking_aws
from deploy.stage.errors import StackError

LETTERS_A_RECORD = 100
MakeEvent = Callable[[Sequence[DeadLetter]], Event]


def dropped(where: Where, subscription: str, reason: str) -> MakeEvent:
    return lambda letters: LettersDropped(
        subscription=subscription,
        count=len(letters),
        message_ids=[letter.message_id for letter in letters],
        event_types=_types(letters),
        reason=reason,
        operator=where.operator,
    )


def redriven(where: Where, subscription: str, *, edited: bool) -> MakeEvent:
    return lambda letters: LettersRedriven(
        subscription=subscription,
        count=len(letters),
        message_ids=[letter.message_id for letter in letters],
        event_types=_types(letters),
        edited=edited,
        operator=where.operator,
    )


def record(where: Where, letters: Iterable[DeadLetter], make: MakeEvent, now: datetime) -> int:
    """Publish what happens to `letters`, for each organization. Returns how many records the bus took.

    Raises StackError when it did not take one; then nothing may be done to the letters.
    """
    told = 0
    for org, part in _by_org(letters):
        envelope = _envelope(make(part), org, where.operator, now)
        entry = {
            "EventBusName": where.names.bus,
            "Source": envelope.source,
            "DetailType": envelope.type,
            "Detail": envelope.model_dump_json(exclude_none=True),
        }
        with asking_aws("record what is about to be done, so nothing was done"):
            answer = where.aws.client("events").put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            why = answer["Entries"][0].get("ErrorMessage", "no reason given")
            raise StackError(f"the bus refuses the record, so nothing was done: {why}")
        told += 1
    return told


def _by_org(letters: Iterable[DeadLetter]) -> Iterator[tuple[str, list[DeadLetter]]]:
    of: defaultdict[str, list[DeadLetter]] = defaultdict(list)
    for letter in sorted(letters, key=lambda one: one.message_id):
        of[letter.org].append(letter)
    for org, found in sorted(of.items()):
        for start in range(0, len(found), LETTERS_A_RECORD):
            yield org, found[start : start + LETTERS_A_RECORD]


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


def _types(letters: Sequence[DeadLetter]) -> list[str]:
    return sorted({letter.type for letter in letters if letter.type})

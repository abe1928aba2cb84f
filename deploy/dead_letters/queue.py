"""Dead-letter queues: looking into them without taking anything out, and taking out what an operator decided on.

SQS has no way to look without receiving. So letters are received for a limited time and given back at once, whatever
happens to the command; killed in between, they are back when that time is over. Their receive counts go up, which
means nothing on a dead-letter queue: it has no redrive policy, and their age counts on from their first queue.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from deploy.dead_letters.letter import DeadLetter
from deploy.dead_letters.target import Where, asking_aws
from deploy.stage.errors import RefusedError

BATCH = 10
HOLD_SECONDS = 120
"""How long letters are hidden from other readers while all are read; longer than reading MAX_LETTERS takes."""
MAX_HOLD_SECONDS = 12 * 3600
MAX_LETTERS = 10_000
"""Read of one queue at once; what is more is for the next time."""
AT_ONCE = 8
SUFFIX = "-dlq"


@dataclass(frozen=True)
class Box:
    """The dead-letter queue of one subscription, such as notify.assignments."""

    where: Where
    subscription: str
    url: str

    @contextmanager
    def held(self) -> Iterator["Held"]:
        """All letters, each once, hidden from others meanwhile. What is not deleted is given back at the end.

        Raises StackError.
        """
        held = Held(self, {})
        try:
            self._read(held.letters)
            yield held
        finally:
            held.hide(held.letters.values(), 0)

    def look(self) -> list[DeadLetter]:
        with self.held() as held:
            return list(held.letters.values())

    def _read(self, found: dict[str, DeadLetter]) -> None:
        sqs = self._sqs()
        with asking_aws(f"read the dead letters of {self.subscription}"):
            while len(found) < MAX_LETTERS:
                messages = sqs.receive_message(
                    QueueUrl=self.url, MaxNumberOfMessages=BATCH, VisibilityTimeout=HOLD_SECONDS,
                    WaitTimeSeconds=1,  # a poll that waits asks all of SQS's servers: what is there is found
                    MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"],
                ).get("Messages", [])  # fmt: skip
                new = [DeadLetter.of(self.subscription, one) for one in messages if one["MessageId"] not in found]
                found |= {letter.message_id: letter for letter in new}
                if not new:
                    return

    def _sqs(self) -> Any:
        return self.where.aws.client("sqs")


@dataclass(frozen=True)
class Held:
    """Letters that one command holds, by message id."""

    box: Box
    letters: dict[str, DeadLetter]

    def hide(self, letters: Iterable[DeadLetter], seconds: int) -> None:
        """Keep them hidden for `seconds` from now; 0 gives them back. Raises StackError."""
        box, sqs, waiting = self.box, self.box.where.aws.client("sqs"), list(letters)
        with asking_aws(f"give letters of {box.subscription} back (they are back in {HOLD_SECONDS} s by themselves)"):
            for start in range(0, len(waiting), BATCH):
                entries = [
                    {
                        "Id": str(at),
                        "ReceiptHandle": letter.receipt,
                        "VisibilityTimeout": min(seconds, MAX_HOLD_SECONDS),
                    }
                    for at, letter in enumerate(waiting[start : start + BATCH])
                ]
                sqs.change_message_visibility_batch(QueueUrl=box.url, Entries=entries)

    def delete(self, letter: DeadLetter) -> None:
        """Raises StackError; then the letter is still there."""
        with asking_aws(f"delete a letter of {self.box.subscription}"):
            self.box.where.aws.client("sqs").delete_message(QueueUrl=self.box.url, ReceiptHandle=letter.receipt)
        del self.letters[letter.message_id]


def boxes(where: Where) -> list[Box]:
    """Every dead-letter queue of the stage, the schedules' too. Raises StackError; RefusedError if there are none."""
    prefix = f"{where.names.prefix}-"
    with asking_aws(f"list the queues of {where.names.stage}"):
        pages = where.aws.client("sqs").get_paginator("list_queues").paginate(QueueNamePrefix=prefix)
        urls = sorted(url for page in pages for url in page.get("QueueUrls", []) if url.endswith(SUFFIX))
    if not urls:
        raise RefusedError(f"stage {where.names.stage} has no dead-letter queues here; is it deployed?")
    return [Box(where, _subscription(url, prefix), url) for url in urls]


def box(where: Where, subscription: str) -> Box:
    """Raises RefusedError, naming those there are, for a subscription that there is not."""
    there = {one.subscription: one for one in boxes(where)}
    if subscription not in there:
        raise RefusedError(f"there is no subscription {subscription!r}; there are {', '.join(there)}")
    return there[subscription]


def look_into_all(where: Where) -> dict[str, list[DeadLetter]]:
    """The letters of every subscription of the stage. Raises StackError."""
    found = boxes(where)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip((one.subscription for one in found), pool.map(Box.look, found), strict=True))


def _subscription(url: str, prefix: str) -> str:
    service, _, name = url.rpartition("/")[2].removeprefix(prefix).removesuffix(SUFFIX).partition("-")
    return f"{service}.{name}"

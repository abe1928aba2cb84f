"""Dead-letter queues: looking into them without taking anything out, and taking out what an operator decided on.

SQS has no way to look without receiving. So dead letters are received for a limited time and given back at once,
whatever happens to the command; if it is killed in between, they are back when that time is over. Their receive counts
go up, which means nothing on a dead-letter queue: it has no redrive policy, and age counts from the first queue.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from deploy.dead_letters.letter import DeadLetter
from deploy.dead_letters.target import OperatedStage, asking_aws
from deploy.errors import RefusedError

BATCH = 10
HOLD_SECONDS = 120
"""How long dead letters are hidden from other readers while all are read: longer than MAX_DEAD_LETTERS take."""
MAX_HOLD_SECONDS = 12 * 3600
MAX_DEAD_LETTERS = 10_000
"""The most that are read of one queue at once; the rest is for the next time."""
AT_ONCE = 8
SUFFIX = "-dlq"


@dataclass(frozen=True)
class DeadLetterQueue:
    """The dead-letter queue of one subscription, such as notify.assignments."""

    stage: OperatedStage
    subscription: str
    url: str

    @contextmanager
    def hold(self) -> Iterator["HeldDeadLetters"]:
        """All dead letters, each once, hidden from other readers meanwhile. Those not deleted are given back.

        Raises StackError.
        """
        held, sqs = HeldDeadLetters(self, {}), self.stage.aws.client("sqs")
        try:
            with asking_aws(f"read the dead letters of {self.subscription}"):
                while len(held.by_id) < MAX_DEAD_LETTERS:
                    messages = sqs.receive_message(
                        QueueUrl=self.url,
                        MaxNumberOfMessages=BATCH,
                        VisibilityTimeout=HOLD_SECONDS,
                        WaitTimeSeconds=1,  # a poll that waits asks all of SQS's servers: nothing is overlooked
                        MessageSystemAttributeNames=["All"],
                        MessageAttributeNames=["All"],
                    ).get("Messages", [])
                    new = [DeadLetter.of(self.subscription, m) for m in messages if m["MessageId"] not in held.by_id]
                    held.by_id.update((dead_letter.message_id, dead_letter) for dead_letter in new)
                    if not new:
                        break
            yield held
        finally:
            held.hide(held.by_id.values(), 0)

    def peek(self) -> list[DeadLetter]:
        """All dead letters, none of them taken out. Raises StackError."""
        with self.hold() as held:
            return list(held.by_id.values())


@dataclass(frozen=True)
class HeldDeadLetters:
    """Dead letters that one command holds, by message id."""

    queue: DeadLetterQueue
    by_id: dict[str, DeadLetter]

    def hide(self, dead_letters: Iterable[DeadLetter], seconds: int) -> None:
        """Keep them hidden for `seconds` from now; 0 gives them back. Raises StackError."""
        queue, sqs, waiting = self.queue, self.queue.stage.aws.client("sqs"), list(dead_letters)
        with asking_aws(
            f"give dead letters of {queue.subscription} back (they are back in {HOLD_SECONDS} s by themselves)"
        ):
            for start in range(0, len(waiting), BATCH):
                entries = [
                    {
                        "Id": str(at),
                        "ReceiptHandle": dead_letter.receipt,
                        "VisibilityTimeout": min(seconds, MAX_HOLD_SECONDS),
                    }
                    for at, dead_letter in enumerate(waiting[start : start + BATCH])
                ]
                sqs.change_message_visibility_batch(QueueUrl=queue.url, Entries=entries)

    def delete(self, dead_letter: DeadLetter) -> None:
        """Raises StackError; then the dead letter is still there."""
        with asking_aws(f"delete a dead letter of {self.queue.subscription}"):
            sqs = self.queue.stage.aws.client("sqs")
            sqs.delete_message(QueueUrl=self.queue.url, ReceiptHandle=dead_letter.receipt)
        del self.by_id[dead_letter.message_id]


def dead_letter_queues(stage: OperatedStage) -> dict[str, DeadLetterQueue]:
    """Every dead-letter queue of the stage by its subscription, the schedules' too. Raises StackError; RefusedError if
    there are none."""
    prefix, queues = f"{stage.names.prefix}-", {}
    with asking_aws(f"list the queues of {stage.names.stage}"):
        pages = stage.aws.client("sqs").get_paginator("list_queues").paginate(QueueNamePrefix=prefix)
        urls = sorted(url for page in pages for url in page.get("QueueUrls", []) if url.endswith(SUFFIX))
    if not urls:
        raise RefusedError(f"stage {stage.names.stage} has no dead-letter queues here; is it deployed?")
    for url in urls:
        service, _, name = url.rpartition("/")[2].removeprefix(prefix).removesuffix(SUFFIX).partition("-")
        queues[f"{service}.{name}"] = DeadLetterQueue(stage, f"{service}.{name}", url)
    return queues


def dead_letter_queue(stage: OperatedStage, subscription: str) -> DeadLetterQueue:
    """Raises RefusedError, naming those that exist, for an unknown subscription."""
    queues = dead_letter_queues(stage)
    if subscription not in queues:
        raise RefusedError(f"there is no subscription {subscription!r}; there are {', '.join(queues)}")
    return queues[subscription]


def peek_into_all(stage: OperatedStage) -> dict[str, list[DeadLetter]]:
    """The dead letters of every subscription of the stage. Raises StackError."""
    queues = dead_letter_queues(stage)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(queues, pool.map(DeadLetterQueue.peek, queues.values()), strict=True))

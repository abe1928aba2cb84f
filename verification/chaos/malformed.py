"""A thousand malformed messages among healthy ones, one in ten: each is dead-lettered with its reason, no healthy one
with them, and the healthy ones go on nearly as fast as without them.

    python -m verification.chaos.malformed [--malformed 1000] [--healthy 9000] [--json]

They take turns, so that whatever else the machine does falls on both. Each begins with a full queue and a process that
starts; what is compared is how long it takes until it is empty. The time with the malformed includes burying them.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.messaging.worker import LONG_POLL_SECONDS
from deploy.embedded.emulator import Emulator
from verification.chaos.check import Finding, compared, dead_letters
from verification.chaos.drain import drained
from verification.chaos.evidence import Witness
from verification.chaos.place import Stage, emulator_in, stage
from verification.chaos.poison import BODIES, event

LEAST_RATIO = 0.8
SERVICE, SUBSCRIPTION = "analytics", "figures"
PROJECTS = 50
ROUNDS = 3
SENDERS = 8
BATCH = 10
SMALL = [name for name in BODIES if not name.startswith("huge")]


@dataclass(frozen=True)
class Compared:
    """Messages a second of the healthy, alone and among the malformed."""

    alone: float
    among: float
    findings: tuple[Finding, ...]

    @property
    def ratio(self) -> float:
        return self.among / self.alone

    @property
    def good(self) -> bool:
        return self.ratio > LEAST_RATIO and all(each.good for each in self.findings)


class Queue:
    """The one queue, filled past the bus. Calls block."""

    def __init__(self, emulator: Emulator, place: Stage) -> None:
        self._sqs = emulator.aws.client("sqs")
        self.name = place.names.queue(SERVICE, SUBSCRIPTION)
        self._url = self._sqs.get_queue_url(QueueName=self.name)["QueueUrl"]

    def fill(self, bodies: Sequence[str]) -> list[str]:
        """Returns the message ids, in order."""
        parts = [bodies[start : start + BATCH] for start in range(0, len(bodies), BATCH)]
        with ThreadPoolExecutor(SENDERS) as pool:
            return [message_id for ids in pool.map(self._send, parts) for message_id in ids]

    def _send(self, bodies: Sequence[str]) -> list[str]:
        entries = [{"Id": str(at), "MessageBody": body} for at, body in enumerate(bodies)]
        answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
        ids = {one["Id"]: one["MessageId"] for one in answer["Successful"]}
        return [ids[str(at)] for at in range(len(bodies))]


async def compare(malformed: int, healthy: int, seed: int, tell: Any = lambda _: None) -> Compared:
    """Raises DeployError or FleetError if the system does not start."""
    with tempfile.TemporaryDirectory(prefix="malformed-") as name:
        folder = Path(name)
        async with (
            emulator_in(folder) as emulator,
            stage(emulator, folder, "malformed", seed=seed, services=(SERVICE,)) as place,
        ):
            queue, witness = Queue(emulator, place), Witness(place)
            good = [json.dumps(_created(number)) for number in range(2 * healthy)]
            bad = [BODIES[SMALL[number % len(SMALL)]]() for number in range(malformed)]
            mixed = [*good[healthy:], *bad]
            random.Random(seed).shuffle(mixed)
            seconds, buried, wrong = {"alone": 0.0, "among": 0.0}, set[str](), set(bad)
            for number in range(ROUNDS):
                for kind, bodies in (("alone", good[:healthy]), ("among", mixed)):
                    part = bodies[number::ROUNDS]
                    tell(f"round {number + 1} of {ROUNDS}: {len(part)} messages, the healthy {kind}")
                    spent, ids = await _emptied(place, witness, queue, part)
                    seconds[kind] += spent
                    buried |= {one for one, body in zip(ids, part, strict=True) if body in wrong}
            sent = {queue.name: buried}
            held = await asyncio.to_thread(witness.everything, [])
            found = {item["project_id"]: item["created"] for item in held.of(SERVICE, "PROJECT")}
            wanted = {f"proj_{at}": len(range(at, 2 * healthy, PROJECTS)) for at in range(PROJECTS)}
            checks = (dead_letters(sent, {}, held.letters), compared("healthy counted", wanted, found))
            return Compared(healthy / seconds["alone"], healthy / seconds["among"], checks)


async def _emptied(place: Stage, witness: Witness, queue: Queue, bodies: Sequence[str]) -> tuple[float, list[str]]:
    """The seconds from the start of the process until the queue is empty, and the message ids."""
    await place.fleet.stop(SERVICE)
    await asyncio.sleep(LONG_POLL_SECONDS + 1)  # the embedded SQS still gives messages to the polls of who is gone
    ids = await asyncio.to_thread(queue.fill, bodies)
    place.fleet.start(SERVICE)
    await place.fleet.ready(SERVICE)
    started = time.monotonic()
    while await asyncio.to_thread(witness.waiting):
        await asyncio.sleep(0.05)
    seconds = time.monotonic() - started
    await drained(witness, lambda: 0)
    return seconds, ids


def _created(number: int) -> dict[str, Any]:
    task = f"task_{number}"
    project = f"proj_{number % PROJECTS}"
    data = {"task_id": task, "project_id": project, "number": 1, "title": task, "status": "open", "priority": "low"}
    return event(subject=task, orgid="org_healthy", data=data)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m verification.chaos.malformed", description=__doc__)
    parser.add_argument("--malformed", type=int, default=1000)
    parser.add_argument("--healthy", type=int, default=9000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    tell = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731
    found = asyncio.run(compare(given.malformed, given.healthy, given.seed, tell))
    figures = {
        "malformed": given.malformed,
        "healthy": given.healthy,
        "dead letters missing": len(found.findings[0].lost),
        "healthy or without reason among them": len(found.findings[0].wrong),
        "healthy lost": len(found.findings[1].lost),
        "healthy duplicated": len(found.findings[1].duplicated),
        "healthy a second, alone": round(found.alone),
        "healthy a second, among them": round(found.among),
        "ratio": round(found.ratio, 2),
    }
    print(json.dumps(figures, indent=1) if given.json else "\n".join(f"{n:38} {v}" for n, v in figures.items()))
    return 0 if found.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

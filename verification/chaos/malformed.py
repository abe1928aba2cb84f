"""Proves that malformed messages are dead-lettered with a reason and barely slow down the healthy ones among them.

    python -m verification.chaos.malformed [--malformed 1000] [--healthy 9000] [--json]

It takes about three minutes and prints the messages per second with and without the malformed ones, and how many
messages ended where they must not. Rounds of both kinds alternate, so that other load on the machine affects both
alike. Each round measures from the start of a process with a full queue until the queue is empty; with malformed
messages that includes dead-lettering them.
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
from functools import partial
from pathlib import Path
from typing import Any

from chassis.messaging.worker import LONG_POLL_SECONDS
from deploy.embedded.emulator import Emulator
from verification.chaos.check import Finding, check_dead_letters, compare_counts
from verification.chaos.drain import wait_for_rest
from verification.chaos.evidence import Witness
from verification.chaos.poison import BODIES, event
from verification.chaos.stage import ChaosStage, run_emulator, start_stage

LEAST_RATIO = 0.8
SERVICE, SUBSCRIPTION = "analytics", "figures"
PROJECTS = 50
ROUNDS = 3
SENDERS = 8
BATCH = 10
SMALL = [name for name in BODIES if not name.startswith("huge")]


@dataclass(frozen=True)
class Comparison:
    """Healthy messages per second, alone and among malformed ones."""

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
    """The queue of the subscription, filled directly, not through the bus. Calls block."""

    def __init__(self, emulator: Emulator, stage: ChaosStage) -> None:
        self._sqs = emulator.aws.client("sqs")
        self.name = stage.names.queue(SERVICE, SUBSCRIPTION)
        self._url = self._sqs.get_queue_url(QueueName=self.name)["QueueUrl"]

    def fill(self, bodies: Sequence[str]) -> list[str]:
        """Send messages. Returns their ids, in order."""

        def send(batch: Sequence[str]) -> list[str]:
            entries = [{"Id": str(at), "MessageBody": body} for at, body in enumerate(batch)]
            answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            ids = {sent["Id"]: sent["MessageId"] for sent in answer["Successful"]}
            return [ids[str(at)] for at in range(len(batch))]

        batches = [bodies[start : start + BATCH] for start in range(0, len(bodies), BATCH)]
        with ThreadPoolExecutor(SENDERS) as pool:
            return [message_id for ids in pool.map(send, batches) for message_id in ids]


async def compare(malformed: int, healthy: int, seed: int, report_progress: Any = lambda _: None) -> Comparison:
    """Compare the speeds. Raises DeployError or FleetError if the system does not start."""
    with tempfile.TemporaryDirectory(prefix="malformed-") as name:
        folder = Path(name)
        async with (
            run_emulator(folder) as emulator,
            start_stage(emulator, folder, "malformed", seed=seed, services=(SERVICE,)) as stage,
        ):
            queue, witness = Queue(emulator, stage), Witness(stage)
            good = [json.dumps(_created_event(number)) for number in range(2 * healthy)]
            bad = [BODIES[SMALL[number % len(SMALL)]]() for number in range(malformed)]
            mixed = [*good[healthy:], *bad]
            random.Random(seed).shuffle(mixed)
            seconds, dead_letter_ids, malformed_bodies = {"alone": 0.0, "among": 0.0}, set[str](), set(bad)
            for number in range(ROUNDS):
                for kind, bodies in (("alone", good[:healthy]), ("among", mixed)):
                    part = bodies[number::ROUNDS]
                    report_progress(f"round {number + 1} of {ROUNDS}: {len(part)} messages, the healthy {kind}")
                    elapsed, ids = await _time_queue(stage, witness, queue, part)
                    seconds[kind] += elapsed
                    pairs = zip(ids, part, strict=True)
                    dead_letter_ids |= {message_id for message_id, body in pairs if body in malformed_bodies}
            expected = {queue.name: dead_letter_ids}
            holdings = await asyncio.to_thread(witness.everything, [])
            counted = {item["project_id"]: item["created"] for item in holdings.of(SERVICE, "PROJECT")}
            wanted = {f"proj_{at}": len(range(at, 2 * healthy, PROJECTS)) for at in range(PROJECTS)}
            checks = (
                check_dead_letters(expected, {}, holdings.dead_letters),
                compare_counts("healthy counted", wanted, counted),
            )
            return Comparison(healthy / seconds["alone"], healthy / seconds["among"], checks)


async def _time_queue(
    stage: ChaosStage, witness: Witness, queue: Queue, bodies: Sequence[str]
) -> tuple[float, list[str]]:
    """Seconds from the start of the process until the queue is empty, and the message ids."""
    await stage.fleet.stop(SERVICE)
    await asyncio.sleep(
        LONG_POLL_SECONDS + 1
    )  # the embedded SQS still gives messages to the polls of a process that has ended
    ids = await asyncio.to_thread(queue.fill, bodies)
    stage.fleet.start(SERVICE)
    await stage.fleet.ready(SERVICE)
    started = time.monotonic()
    while await asyncio.to_thread(witness.waiting):
        await asyncio.sleep(0.05)
    seconds = time.monotonic() - started
    await wait_for_rest(witness, lambda: 0)
    return seconds, ids


def _created_event(number: int) -> dict[str, Any]:
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
    report_progress = partial(print, file=sys.stderr, flush=True)
    comparison = asyncio.run(compare(given.malformed, given.healthy, given.seed, report_progress))
    figures = {
        "malformed": given.malformed,
        "healthy": given.healthy,
        "dead letters missing": len(comparison.findings[0].lost),
        "healthy or without reason among them": len(comparison.findings[0].wrong),
        "healthy lost": len(comparison.findings[1].lost),
        "healthy duplicated": len(comparison.findings[1].duplicated),
        "healthy per second, alone": round(comparison.alone),
        "healthy per second, among them": round(comparison.among),
        "ratio": round(comparison.ratio, 2),
    }
    print(json.dumps(figures, indent=1) if given.json else "\n".join(f"{n:38} {v}" for n, v in figures.items()))
    return 0 if comparison.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Mixed revisions: the consumers of the base get the events of the working tree, and the other way round, because
services are deployed one at a time. The code of both revisions runs, each in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.check.verdict import Snapshot
from contracts.event import ContractError
from deploy.contracts import base as bases
from deploy.contracts.golden import examples

RUNNER = "deploy/contracts/consume.py"
"""Each revision runs its own, which knows where that revision keeps its code."""
CODE = ("contracts", "chassis", "services", "awsjson/src", "faststream-sqs/src", RUNNER)


def failures(tree: Snapshot, revision: str, root: Path) -> Iterator[str]:
    """One line for each consumer of one side that cannot handle an event of the other.

    Raises ContractError for a revision that does not exist or whose code does not run.
    """
    base = bases.snapshot(revision, root)
    with tempfile.TemporaryDirectory() as folder:
        past = Path(folder)
        for name, text in bases.files_of(revision, root, CODE).items():
            (past / name).parent.mkdir(parents=True, exist_ok=True)
            (past / name).write_bytes(text)
        line = "{consumer} {side} cannot handle {event} ({id}) {other}: {reason}"
        for failure in _consume(past, events_of(tree), revision):
            yield line.format(**failure, side=f"as of {revision}", other="of the working tree")
        for failure in _consume(root, events_of(base), "the working tree"):
            yield line.format(**failure, side="of the working tree", other=f"as of {revision}")


def events_of(snapshot: Snapshot) -> list[dict[str, Any]]:
    """The golden events of a revision, and fresh examples of its present schemas."""
    events = [json.loads(text) for text in snapshot.golden.values()]
    return events + [event for schema in snapshot.schemas.values() for event in examples(schema).values()]


def _consume(folder: Path, events: list[dict[str, Any]], side: str) -> list[dict[str, str]]:
    paths = [folder, folder / "awsjson/src", folder / "faststream-sqs/src"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-P", str(folder / RUNNER)],
        input=json.dumps(events),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no error message"])[-1]
        raise ContractError(f"the consumers of {side} do not run ({reason}); fix them, or name another base")
    failed: list[dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return failed

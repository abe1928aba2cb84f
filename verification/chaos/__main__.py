"""Command line of the chaos run: exits with 1 if a promise is broken or a control shows nothing."""

import argparse
import asyncio
import json
import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import verification.chaos
from deploy.errors import DeployError
from verification.chaos.fleet import FleetError
from verification.chaos.report import as_json, as_table
from verification.chaos.run import COMMIT, LONG, SMALL, run

SIZES = {"commit": COMMIT, "long": LONG, "small": SMALL}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m verification.chaos",
        description=verification.chaos.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--size", choices=SIZES, default="commit", help="how much is done; commit is what CI runs")
    parser.add_argument(
        "--seed", type=int, help="decides faults, kills, poison and load, as far as real processes can be repeated"
    )
    parser.add_argument("--commands", type=int, help="instead of the size's number of commands")
    parser.add_argument("--kills", type=int, help="instead of the size's number of kills")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the logs of the processes in this folder")
    given = parser.parse_args(arguments)
    size = SIZES[given.size]
    if given.commands is not None:
        size = replace(size, commands=given.commands)
    if given.kills is not None:
        size = replace(size, plan=replace(size.plan, kills=given.kills))
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    started = time.monotonic()

    def report_progress(text: str) -> None:
        print(f"{time.monotonic() - started:5.1f} s  {text}", file=sys.stderr, flush=True)

    report_progress(f"seed {seed}")
    try:
        outcome = asyncio.run(run(size, seed, report_progress=report_progress, keep=given.keep))
    except (DeployError, FleetError) as error:
        print(f"seed {seed}: {error}", file=sys.stderr)
        return 1
    print(json.dumps(as_json(outcome), indent=1) if given.json else as_table(outcome))
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

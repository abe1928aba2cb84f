"""`python -m verification.fuzz [SERVICE...] --minutes 10`: schemathesis on each OpenAPI, and what no client sends."""

import argparse
import asyncio
import logging
import sys
from concurrent.futures import ThreadPoolExecutor

import structlog

from deploy.services import service_names
from verification.fuzz.generated import Outcome, fuzz
from verification.fuzz.hostile import attack
from verification.fuzz.server import served

HEAD = ("service", "operations", "requests", "hostile", "failures")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m verification.fuzz")
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="all of them if none is named")
    parser.add_argument("--minutes", type=float, default=10, help="for all services together")
    parser.add_argument("--seed", type=int, help="of a run that found something")
    options = parser.parse_args(arguments)
    names = options.services or service_names()
    if unknown := set(names) - set(service_names()):
        parser.error(f"no service {', '.join(sorted(unknown))}; there are {', '.join(service_names())}")
    seconds = max(1, round(options.minutes * 60 / len(names)))
    # Thousands of refused requests are what is wanted; what crashes is told.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    failures = 0
    print(_row(HEAD), flush=True)
    for name in names:
        outcome, hostile, refusals = _of(name, seconds, options.seed)
        failures += outcome.failures + len(refusals)
        row = (name, outcome.operations, outcome.requests, hostile, outcome.failures + len(refusals))
        print(_row(row), *refusals, *([outcome.told] if outcome.failures else []), sep="\n", flush=True)
    return 1 if failures else 0


def _of(name: str, seconds: int, seed: int | None) -> tuple[Outcome, int, list[str]]:
    with served(name) as at, ThreadPoolExecutor(1) as beside:
        attacked = beside.submit(lambda: asyncio.run(attack(at)))  # mostly it waits: for a body that never comes
        outcome = fuzz(at, seconds, seed)
        hostile, refusals = attacked.result()
        return outcome, hostile, refusals


def _row(cells: tuple[object, ...]) -> str:
    return "".join(f"{cell!s:>12}" for cell in cells)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

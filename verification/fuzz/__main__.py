"""Command line of the fuzzer: exits with 1 if a service fails."""

import argparse
import asyncio
import logging
import sys
from concurrent.futures import ThreadPoolExecutor

import structlog

import verification.fuzz
from deploy.services import service_names
from verification.fuzz.generated import fuzz
from verification.fuzz.hostile import attack
from verification.fuzz.server import serve

HEAD = ("service", "operations", "requests", "hostile", "failures")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m verification.fuzz",
        description=verification.fuzz.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="every service if none is named")
    parser.add_argument("--minutes", type=float, default=10, help="for all services together")
    parser.add_argument("--seed", type=int, help="seed of a run to repeat")
    options = parser.parse_args(arguments)
    names = options.services or service_names()
    if unknown := set(names) - set(service_names()):
        parser.error(f"no service {', '.join(sorted(unknown))}; the services are {', '.join(service_names())}")
    seconds = max(1, round(options.minutes * 60 / len(names)))
    # Thousands of refusals are expected and not worth a log entry; failures are printed.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    failures = 0
    print(_row(HEAD), flush=True)
    for name in names:
        with serve(name) as server, ThreadPoolExecutor(1) as executor:
            attacking = executor.submit(lambda: asyncio.run(attack(server)))
            outcome = fuzz(server, seconds, options.seed)
            hostile, wrong = attacking.result()
        failures += outcome.failures + len(wrong)
        row = (name, outcome.operations, outcome.requests, hostile, outcome.failures + len(wrong))
        print(_row(row), *wrong, *([outcome.report] if outcome.failures else []), sep="\n", flush=True)
    return 1 if failures else 0


def _row(cells: tuple[object, ...]) -> str:
    return "".join(f"{cell!s:>12}" for cell in cells)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

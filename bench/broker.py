"""Measures the CPU and memory of the SQS broker and the AWS client, against boto3 and other libraries.

    python -m bench broker [consumer] [peers] [dynamodb] [pollers] [memory] [imports] [profile]

It takes about five minutes for all sections, and prints a table per section. CPU is that of the measured process (user
and system, all threads); ratios come from rounds in which the variants took turns. Figures are for reading: nothing
fails because of them.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.consumption import Consumption, consumer_section
from bench.figures import Report
from bench.processes import RunFailed
from bench.queues import Queues
from deploy.embedded.emulator import Emulator
from deploy.errors import EmulatorError

SECTIONS = ("consumer", "peers", "dynamodb", "pollers", "memory", "imports", "profile")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench broker", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; all if none is named")
    parser.add_argument("--messages", type=int, default=1000, help="messages per run (default 1000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds in which all variants take turns (default 5)")
    parser.add_argument("--memory-messages", type=int, default=200_000, help="messages of the memory section")
    given = parser.parse_args()
    if unknown := set(given.sections) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}; the sections are {', '.join(SECTIONS)}")
    return given


def with_emulator(section: Callable[[str], None]) -> Callable[[], None]:
    """Run a section with an embedded AWS of its own, which starts empty and is stopped afterwards."""

    def run() -> None:
        with tempfile.TemporaryDirectory(prefix="bench-") as home, Emulator(Path(home)) as emulator:
            section(emulator.endpoint_url)

    return run


def sections(report: Report, given: argparse.Namespace) -> dict[str, Callable[[], None]]:
    """Every section by its name."""
    # imported here: a section's libraries are loaded only where it runs
    from bench.dynamodb import dynamodb_section
    from bench.imports import imports_section
    from bench.memory import memory_section
    from bench.peers import peers_section
    from bench.pollers import pollers_section
    from bench.profiles import profile_section

    def consumption(url: str) -> Consumption:
        return Consumption(url, Queues(url), given.messages)

    return {
        "consumer": with_emulator(lambda url: consumer_section(report, consumption(url), given.rounds)),
        "peers": with_emulator(lambda url: peers_section(report, consumption(url), max(2, given.rounds // 2))),
        "dynamodb": with_emulator(lambda url: dynamodb_section(report, url, given.rounds)),
        "pollers": lambda: pollers_section(report, given.rounds),
        "memory": lambda: memory_section(report, given.memory_messages),
        "profile": lambda: profile_section(report),
        "imports": lambda: imports_section(report, given.rounds),
    }


def main() -> None:
    given, report = parse_arguments(), Report()
    by_name = sections(report, given)
    report.line(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; compare ratios, not times")
    for name in given.sections or SECTIONS:
        try:
            by_name[name]()
        except (EmulatorError, RunFailed) as problem:
            report.line(f"{name}: not measured, {problem}")


if __name__ == "__main__":
    main()

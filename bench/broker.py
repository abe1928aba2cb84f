"""`python -m bench.broker`: what the broker and its client cost, as tables with their spread.

CPU is the measured process's own (user and system, all threads); ratios come from rounds in which the variants took
turns. Nothing is asserted: figures are for reading.
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
from deploy.stage.errors import EmulatorError

SECTIONS = ("consumer", "peers", "dynamodb", "pollers", "memory", "imports", "profile")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.broker", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all without one")
    parser.add_argument("--messages", type=int, default=1000, help="messages a run (default 1000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds in which all variants take turns (default 5)")
    parser.add_argument("--memory-messages", type=int, default=200_000, help="messages of the memory section")
    chosen = parser.parse_args()
    if unknown := set(chosen.sections) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}")
    return chosen


def with_emulator(section: Callable[[str], None]) -> Callable[[], None]:
    """Runs the section with an embedded AWS of its own, which starts empty and is stopped afterwards."""

    def run() -> None:
        with tempfile.TemporaryDirectory(prefix="bench-") as home, Emulator(Path(home)) as emulator:
            section(emulator.endpoint_url)

    return run


def sections(report: Report, chosen: argparse.Namespace) -> dict[str, Callable[[], None]]:
    # imported here: a section's libraries are loaded only where it runs
    from bench.dynamodb import dynamodb_section
    from bench.imports import imports_section
    from bench.memory import memory_section
    from bench.peers import peers_section
    from bench.pollers import pollers_section
    from bench.profiles import profile_section

    def consumption(url: str) -> Consumption:
        return Consumption(url, Queues(url), chosen.messages)

    return {
        "consumer": with_emulator(lambda url: consumer_section(report, consumption(url), chosen.rounds)),
        "peers": with_emulator(lambda url: peers_section(report, consumption(url), max(2, chosen.rounds // 2))),
        "dynamodb": with_emulator(lambda url: dynamodb_section(report, url, chosen.rounds)),
        "pollers": lambda: pollers_section(report, chosen.rounds),
        "memory": lambda: memory_section(report, chosen.memory_messages),
        "profile": lambda: profile_section(report),
        "imports": lambda: imports_section(report, chosen.rounds),
    }


def main() -> None:
    chosen, report = arguments(), Report()
    running = sections(report, chosen)
    report.line(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; ratios hold, times do not travel")
    for name in chosen.sections or SECTIONS:
        try:
            running[name]()
        except (EmulatorError, RunFailed) as problem:
            report.line(f"{name}: not measured, {problem}")


if __name__ == "__main__":
    main()

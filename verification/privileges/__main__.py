"""Command line of the privileges report: exits with 1 if it has a problem."""

import argparse
import asyncio
import shutil
import sys

from rich.console import Console

import verification.privileges
from deploy.errors import DeployError
from deploy.services import ROOT
from examples.first_day.client import UnexpectedAnswerError
from verification.privileges.day import play
from verification.privileges.report import compare, list_problems, table
from verification.privileges.unused import REASONS

STATE = ROOT / ".local/privileges"


def main() -> int:
    argparse.ArgumentParser(
        prog="python -m verification.privileges",
        description=verification.privileges.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    progress = Console(stderr=True, highlight=False)
    shutil.rmtree(STATE, ignore_errors=True)
    try:
        day = asyncio.run(play(STATE, "least", lambda text: progress.print(f"[dim]{text}")))
    except (DeployError, UnexpectedAnswerError) as error:
        progress.print(f"[red]{error}[/]")
        return 1
    report = compare(day, REASONS)
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False, emoji=False)
    console.print(table(report))
    for line in (problems := list_problems(day, report)):
        console.print(f"[red]{line}[/]", soft_wrap=True)
    used, calls = (
        sum(bool(line.times) for line in report.lines),
        sum(sum(each.values()) for each in day.used.values()),
    )
    console.print(f"{len(report.lines)} grants, {used} used, {calls} calls")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

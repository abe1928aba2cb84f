"""`make verify NAME=privileges`: play the day with IAM enforced, and compare what is granted with what was used."""

import asyncio
import shutil
import sys

from rich.console import Console

from deploy.services import ROOT
from deploy.stage.errors import DeployError
from examples.first_day.client import UnexpectedAnswerError
from verification.privileges.played import play
from verification.privileges.report import compared, table, troubles
from verification.privileges.unused import REASONS

STATE = ROOT / ".local/privileges"


def main() -> int:
    progress = Console(stderr=True, highlight=False)
    shutil.rmtree(STATE, ignore_errors=True)
    try:
        played = asyncio.run(play(STATE, "least", lambda text: progress.print(f"[dim]{text}")))
    except (DeployError, UnexpectedAnswerError) as error:
        progress.print(f"[red]{error}[/]")
        return 1
    report = compared(played, REASONS)
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False, emoji=False)
    console.print(table(report))
    for line in (found := troubles(played, report)):
        console.print(f"[red]{line}[/]", soft_wrap=True)
    used, calls = (
        sum(bool(line.times) for line in report.lines),
        sum(sum(each.values()) for each in played.used.values()),
    )
    console.print(f"{len(report.lines)} grants, {used} used, {calls} calls")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""`make demo`: starts everything, plays the first day, shows the result, and stops."""

import asyncio
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.errors import DeployError
from deploy.local.system import LocalSystem
from deploy.services import ROOT
from examples.first_day.client import UnexpectedAnswerError
from examples.first_day.inputs import SAMPLE, InputError, Inputs, read_inputs
from examples.first_day.report import as_json, inbox, show
from examples.first_day.run import run_day
from examples.first_day.tree import draw, spans_of_assignment

STATE = ROOT / ".local" / "demo"
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--input", help="A folder with people.csv, backlog.csv and files/")] = SAMPLE,
    as_object: Annotated[bool, typer.Option("--json", help="Print a single JSON object")] = False,
) -> None:
    """Play an organization's first day on this machine. Exits with 0 only if every effect exists exactly once."""
    console = Console(stderr=True, quiet=as_object and not sys.stderr.isatty(), highlight=False)
    try:
        inputs = read_inputs(folder)
        good = asyncio.run(_demo(inputs, console, as_object=as_object))
    except (DeployError, InputError, UnexpectedAnswerError) as error:
        Console(stderr=True, highlight=False).print(f"[red]{error}[/]")
        sys.exit(1)
    sys.exit(0 if good else 1)


async def _demo(inputs: Inputs, stderr: Console, *, as_object: bool) -> bool:
    started = time.monotonic()

    def progress(text: str) -> None:
        stderr.print(f"[dim]{time.monotonic() - started:5.1f} s[/]  {text}")

    shutil.rmtree(STATE, ignore_errors=True)
    lambdas = os.environ.get("RUNTIME") == "lambda"
    enforced = os.environ.get("AUTH") == "1"
    async with LocalSystem(STATE, stage="demo", progress=progress, lambdas=lambdas, enforced=enforced) as system:
        ready = time.monotonic() - started
        day, outcome, holdings = await run_day(system, inputs, progress=progress)
        day.seconds = {"starting": round(ready, 2), **day.seconds}
        if as_object:
            sys.stdout.write(json.dumps(as_json(day, outcome), indent=2) + "\n")
        else:
            console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
            show(console, day, outcome)
            event_id = holdings.assignments.get((day.assignment["task_id"], day.assignment["assignee_id"]), "")
            console.print(draw(await asyncio.to_thread(spans_of_assignment, system.traces, event_id)))
            console.print(inbox(day))
            verdict = "[green]Every effect exists exactly once." if outcome.good else "[red]Not every effect is right."
            console.print(f"[bold]{verdict}[/]")
        progress("stopping")
    progress("done")
    return outcome.good


if __name__ == "__main__":
    app()

"""Commands for the whole system on this machine; `status` also shows a stage."""

import os
import signal
import sys
import time
from collections import deque
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from deploy.commands.options import StageOptions, out, sharing
from deploy.errors import LocalError
from deploy.local.lock import FolderLock
from deploy.local.status import Status
from deploy.local.supervisor_client import ask
from deploy.services import ROOT, require_service

DOWN_SECONDS = 90.0
DEFAULT_PORT = 8080
OTHER_LOGS = {"deploy", "supervisor", "aws"}
PANEL = "Run"

app = typer.Typer()
STATE = ROOT / ".local/state"
State = Annotated[Path, typer.Option("--state", envvar="TENFOLD_STATE", help="The folder that keeps everything.")]
Name = Annotated[str, typer.Argument(metavar="SERVICE", help="Such as tasks.")]


@app.command(rich_help_panel=PANEL)
def up(
    *,
    state: State = STATE,
    port: Annotated[int, typer.Option(envvar="TENFOLD_PORT", help="The port of the base URL.")] = DEFAULT_PORT,
    reload: Annotated[bool, typer.Option("--reload", help="Restart services when their code changes.")] = False,
) -> None:
    """Start everything in the background and print the addresses."""
    if FolderLock(state).holder() is None:
        from deploy.local.launching import launch  # noqa: PLC0415  (slow, and not needed by the other commands)

        launch(state, port, reload=reload)
    _print_addresses(_running_system(state))


@app.command(rich_help_panel=PANEL)
def down(*, state: State = STATE) -> None:
    """Stop everything; its state is kept."""
    pid = FolderLock(state).holder()
    if pid is None:
        out.print("nothing is running")
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    with out.status("stopping"):
        while FolderLock(state).holder() == pid:
            if time.monotonic() > deadline:
                raise LocalError(f"the supervisor (process {pid}) did not stop in {DOWN_SECONDS:.0f} s; kill it")
            time.sleep(0.05)
    status = Status.read(state)
    if status and status.phase == "failed":
        raise LocalError(status.text)
    out.print("stopped")


@app.command(rich_help_panel=PANEL)
@sharing(StageOptions)
def status(options: StageOptions, state: State = STATE) -> None:
    """Show what runs on this machine; with --stage the versions, health, queues and alarms of a stage."""
    if options.stage is None:
        _print_addresses(_running_system(state))
        return
    from deploy.stage.report import as_table, conditions  # noqa: PLC0415  (slow, and not needed for this machine)
    from deploy.stage.stage import synthesize  # noqa: PLC0415

    environment = options.command().environment
    environment.platform_outputs()
    out.print(as_table(conditions(environment, synthesize(environment.target))))


@app.command(rich_help_panel=PANEL)
def service(
    name: Name, action: Annotated[str, typer.Argument(help="start, stop or restart")], *, state: State = STATE
) -> None:
    """Start, stop or restart one service while the others go on."""
    base_url = _running_system(state)
    with out.status(f"{name}: {action}"):
        answer = ask(base_url, f"/services/{require_service(name)}/{action}", method="POST")
    out.print(f"{name} is {answer[name]}")


@app.command(rich_help_panel=PANEL)
def run(
    name: Name,
    *,
    state: State = STATE,
    debugger: Annotated[bool, typer.Option("--pdb", help="Under Python's debugger.")] = False,
) -> None:
    """Run one service in this terminal in place of the supervised one: for a debugger, or to watch it."""
    base_url = _running_system(state)
    variables = ask(base_url, f"/services/{require_service(name)}/environment")
    ask(base_url, f"/services/{name}/stop", method="POST")
    command = [sys.executable, *(["-m", "pdb"] if debugger else []), "-m", "chassis.runtime.run", name]
    out.print(f"{name} runs here on port {variables['TENFOLD_PORT']}; afterwards: make service NAME={name} DO=start")
    os.chdir(ROOT)
    os.execve(command[0], command, variables)  # noqa: S606


@app.command(rich_help_panel=PANEL)
def env(name: Name, *, state: State = STATE) -> None:
    """Print one service's variables (NAME=value per line), for an editor's launch settings."""
    variables = ask(_running_system(state), f"/services/{require_service(name)}/environment")
    for key, value in sorted(variables.items()):
        if os.environ.get(key) != value:
            out.out(f"{key}={value}", highlight=False)


@app.command(rich_help_panel=PANEL)
def logs(
    name: Annotated[str, typer.Argument(help="A service, or deploy, supervisor, aws.")],
    *,
    state: State = STATE,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what is written next.")] = False,
    lines: Annotated[int, typer.Option("-n", help="How many of the last lines.")] = 100,
) -> None:
    """Show the log of a service, of a deployment, of the supervisor, or of the embedded AWS."""
    if name not in OTHER_LOGS:
        require_service(name)
    path = state / "emulator/emulator.log" if name == "aws" else state / "logs" / f"{name}.log"
    if not path.exists():
        raise LocalError(f"{name} has not written anything yet; start it with `make up`")
    with path.open(errors="replace") as log:
        for line in deque(log, maxlen=lines):
            out.out(line, end="", highlight=False)
        while follow:
            more = log.read()
            if more:
                out.out(more, end="", highlight=False)
            elif path.stat().st_size < log.tell():
                log.seek(0)
            time.sleep(0.2)


@app.command(hidden=True)
def supervise(
    *, state: State = STATE, port: int = DEFAULT_PORT, reload: Annotated[bool, typer.Option("--reload")] = False
) -> None:
    """Run the supervisor: what `up` starts in the background."""
    import asyncio  # noqa: PLC0415

    from deploy.local.supervise import supervise as run_supervisor  # noqa: PLC0415

    raise typer.Exit(asyncio.run(run_supervisor(state.resolve(), port=port, reload=reload)))


def _running_system(state: Path) -> str:
    """The base URL of the running system. Raises LocalError if none runs."""
    status = Status.read(state)
    if FolderLock(state).holder() is None or status is None:
        raise LocalError("nothing is running; start it with `make up`")
    return status.base_url


def _print_addresses(base_url: str) -> None:
    answer = ask(base_url, "/status")
    table = Table(show_header=False, box=None)
    for title, value in (
        ("API", base_url),
        ("docs", f"{base_url}/docs"),
        ("mailbox", answer["mailbox_url"]),
        ("AWS", answer["endpoint_url"] if answer["parts"]["aws"] == "running" else "[red]died[/]"),
        *((part, state) for part, state in answer["parts"].items() if part != "aws"),
    ):
        table.add_row(title, value)
    out.print(table)
    died = [part for part, state in answer["parts"].items() if state == "died"]
    if died:
        remedy = "make down && make up" if "aws" in died else f"make service NAME={died[0]} DO=start"
        raise LocalError(f"{', '.join(died)} died; see `make logs SERVICE={died[0]}`, then `{remedy}`")

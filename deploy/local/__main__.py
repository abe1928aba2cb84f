"""`python -m deploy.local up|down|status|logs|service|run`: the laptop's system, from the command line."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.local.control import ask
from deploy.local.lock import FolderLock
from deploy.local.processes import tail
from deploy.local.provisioning import base_environment
from deploy.local.supervise import Status, supervise
from deploy.local.system import service_command
from deploy.services import ROOT, checked
from deploy.stage.errors import DeployError, LocalError

UP_SECONDS = 300.0
DOWN_SECONDS = 90.0
DEFAULT_PORT = 8080

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The whole system on this machine.")
out, err = Console(), Console(stderr=True)
StateOption = Annotated[Path, typer.Option("--state", envvar="TENFOLD_STATE", help="Where everything is kept.")]
STATE = ROOT / ".local/state"


@app.command()
def up(
    state: StateOption = STATE,
    port: Annotated[int, typer.Option(envvar="TENFOLD_PORT", help="The port of the base URL.")] = DEFAULT_PORT,
    reload: Annotated[bool, typer.Option(help="Restart services when their code changes.")] = False,
) -> None:
    """Start everything in the background and print the addresses."""
    holder = FolderLock(state).holder()
    if holder is None:
        _launch(state, port, reload=reload)
    _print_addresses(_running(state))


@app.command()
def down(state: StateOption = STATE) -> None:
    """Stop everything; what it holds stays."""
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


@app.command()
def status(state: StateOption = STATE) -> None:
    """Show what runs."""
    _print_addresses(_running(state))


@app.command()
def service(
    name: str, action: Annotated[str, typer.Argument(help="start, stop or restart")], state: StateOption = STATE
) -> None:
    """Start, stop or restart one service while the others go on."""
    base_url = _running(state)
    with out.status(f"{name}: {action}"):
        answer = ask(base_url, f"/services/{checked(name)}/{action}", method="POST")
    out.print(f"{name} is {answer[name]}")


@app.command()
def run(
    name: str,
    state: StateOption = STATE,
    debugger: Annotated[bool, typer.Option("--pdb", help="Under Python's debugger.")] = False,
) -> None:
    """Run one service in this terminal in place of the supervised one: for a debugger, or to watch it."""
    base_url = _running(state)
    variables = ask(base_url, f"/services/{checked(name)}/environment")
    ask(base_url, f"/services/{name}/stop", method="POST")
    command = service_command(name)
    if debugger:
        command = [command[0], "-m", "pdb", *command[1:]]
    out.print(f"{name} runs here on port {variables['PORT']}; afterwards: make service NAME={name} ACTION=start")
    os.chdir(ROOT)
    os.execve(command[0], command, variables)  # noqa: S606


@app.command()
def env(name: str, state: StateOption = STATE) -> None:
    """Print one service's variables (NAME=value a line), for an editor's launch settings."""
    variables = ask(_running(state), f"/services/{checked(name)}/environment")
    ours = {key: value for key, value in variables.items() if os.environ.get(key) != value}
    for key, value in sorted(ours.items()):
        out.out(f"{key}={value}", highlight=False)


@app.command()
def logs(
    name: str,
    state: StateOption = STATE,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what is written next.")] = False,
    lines: Annotated[int, typer.Option("-n", help="How many of the last lines.")] = 100,
) -> None:
    """Show the log of a service, or of `deploy`, `supervisor`, `aws`."""
    if name not in {"deploy", "supervisor", "aws"}:
        checked(name)
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


@app.command(name="supervise", hidden=True)
def supervise_command(
    state: StateOption = STATE, port: int = DEFAULT_PORT, reload: Annotated[bool, typer.Option()] = False
) -> None:
    """What `up` starts in the background."""
    raise typer.Exit(asyncio.run(supervise(state.resolve(), port=port, reload=reload)))


def _launch(state: Path, port: int, *, reload: bool) -> None:
    """Start the supervisor and wait until it is ready. Raises LocalError with its reason."""
    (state / "logs").mkdir(parents=True, exist_ok=True)
    log = state / "logs/supervisor.log"
    command = [sys.executable, "-m", "deploy.local", "supervise", "--state", str(state.resolve()), "--port", str(port)]
    log.write_bytes(b"")
    with log.open("ab") as output:  # the supervisor writes to it by name, too
        process = subprocess.Popen(  # noqa: S603
            [*command, *(["--reload"] if reload else [])], cwd=ROOT, env=base_environment(ROOT),
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + UP_SECONDS
    with out.status("starting") as shown:
        while True:
            told = Status.read(state)
            mine = told if told and told.pid == process.pid else None
            if mine and mine.phase == "ready":
                return
            if mine and mine.phase == "failed":
                raise LocalError(mine.text)
            if process.poll() is not None:
                raise LocalError(f"the supervisor ended with code {process.returncode}; its log ends:\n{tail(log)}")
            if time.monotonic() > deadline:
                process.terminate()
                raise LocalError(f"not up after {UP_SECONDS:.0f} s; see {log}")
            shown.update(escape(mine.text) if mine else "starting")
            time.sleep(0.05)


def _running(state: Path) -> str:
    """The base URL of the running system. Raises LocalError if none runs."""
    told = Status.read(state)
    if FolderLock(state).holder() is None or told is None:
        raise LocalError("nothing is running; start it with `make up`")
    return told.base_url


def _print_addresses(base_url: str) -> None:
    answer = ask(base_url, "/status")
    table = Table(show_header=False, box=None)
    for title, value in (
        ("API", base_url), ("docs", f"{base_url}/docs"), ("mailbox", answer["mailbox_url"]),
        ("AWS", answer["endpoint_url"] if answer["parts"]["aws"] == "running" else "[red]died[/]"),
        *((part, found) for part, found in answer["parts"].items() if part != "aws"),
    ):  # fmt: skip
        table.add_row(title, value)
    out.print(table)
    died = [part for part, found in answer["parts"].items() if found == "died"]
    if died:
        remedy = "make down && make up" if "aws" in died else f"make start-service SERVICE={died[0]}"
        raise LocalError(f"{', '.join(died)} died; see `make logs SERVICE={died[0]}`, then `{remedy}`")


def main() -> None:
    try:
        app()
    except DeployError as error:
        err.print(f"[red]error[/red] {escape(str(error))}", highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()

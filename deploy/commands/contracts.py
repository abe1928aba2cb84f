"""`python -m deploy contracts ...`: what a change of a contract breaks, and the files that follow from the contracts.

Exit code 1: something is broken (a breaking change, a stale file). 2: something cannot be read; one line says what.
"""

import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from contracts.event import ContractError
from deploy.commands.errors import errors_as_lines
from deploy.services import ROOT

BROKEN, UNREADABLE = 1, 2
PANEL = "Check"
Base = Annotated[str | None, typer.Option(help="A git revision; without it, the last commit.")]

app = typer.Typer()
contracts = typer.Typer(no_args_is_help=True, help="Compare, generate and extend the contracts.")
app.add_typer(contracts, name="contracts", rich_help_panel=PANEL)


@contracts.command()
def check(*, base: Base = None) -> None:
    """Compare the working tree with the base: what changed, and whom it breaks."""
    from contracts.check.verdict import judge  # noqa: PLC0415  (each command imports what it needs)
    from deploy.contracts.base import snapshot  # noqa: PLC0415
    from deploy.contracts.declarations import check_versions, load_declarations  # noqa: PLC0415
    from deploy.contracts.report import lines  # noqa: PLC0415

    with errors_as_lines(ContractError, code=UNREADABLE):
        before, now = snapshot(base or None, ROOT), load_declarations(ROOT)
        check_versions(now.snapshot, before)
        verdict = judge(before, now.snapshot)
        _print(lines(verdict, since=base or "the last commit"))
        _print(now.unreadable, error=True)
    if verdict.breaking or now.unreadable:
        raise typer.Exit(BROKEN if verdict.breaking else UNREADABLE)


@contracts.command()
def generate(
    *, check: Annotated[bool, typer.Option("--check", help="Write nothing; list stale files.")] = False
) -> None:
    """Write schemas, documents and the golden events that are missing."""
    from deploy.contracts import generated  # noqa: PLC0415
    from deploy.contracts.declarations import load_readable  # noqa: PLC0415

    with errors_as_lines(ContractError, code=UNREADABLE):
        declarations = load_readable(ROOT)
        if not check:
            _print(generated.generate(declarations, ROOT))
        elif stale := generated.stale(declarations, ROOT):
            _print([*stale, generated.CURE], error=True)
            raise typer.Exit(BROKEN)


@contracts.command("mixed")
def check_mixed(*, base: Base = None) -> None:
    """Run the base's consumers on the working tree's events, and the working tree's on the base's."""
    from deploy.contracts.declarations import load_readable  # noqa: PLC0415
    from deploy.contracts.mixed import failures  # noqa: PLC0415

    with errors_as_lines(ContractError, code=UNREADABLE):
        broken = list(failures(load_readable(ROOT).snapshot, base or "HEAD", ROOT))
    _print(broken or ["Old and new go together, both ways."])
    if broken:
        raise typer.Exit(BROKEN)


@contracts.command("new-event")
def new_event(
    service: Annotated[str, typer.Argument(help="Such as tasks.")],
    event: Annotated[str, typer.Argument(help="What happened to what, such as TaskArchived.")],
) -> None:
    """Write a new event: its model, its golden examples and its test."""
    from deploy.contracts.new_event import create  # noqa: PLC0415

    with errors_as_lines(ContractError, code=UNREADABLE):
        _print(create(service, event, ROOT))


def _print(text: Iterable[str], *, error: bool = False) -> None:
    (sys.stderr if error else sys.stdout).writelines(f"{line}\n" for line in text)

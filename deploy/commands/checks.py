"""Commands that check the templates and generate the documents on permissions and costs."""

import sys
from typing import Annotated

import typer

from chassis.errors import DeclarationError
from deploy.commands.errors import errors_as_lines
from deploy.errors import DeployError

app = typer.Typer()
PANEL = "Check"
Check = Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file is stale.")]


@app.command(rich_help_panel=PANEL)
def check() -> None:
    """Check every template with cfn-lint, for AWS and for the embedded one."""
    from deploy.checks.check import check_templates  # noqa: PLC0415  (each command imports what it needs)

    with errors_as_lines():
        check_templates()


@app.command(rich_help_panel=PANEL)
def permissions(*, check: Check = False) -> None:
    """Write docs/permissions.md and contracts/permissions.py: every operation by role."""
    from deploy.checks.permissions import stale, write  # noqa: PLC0415

    with errors_as_lines(DeclarationError):
        if not check:
            write()
        elif names := stale():
            raise DeployError(f"{' and '.join(names)}: not what the services say. Run `make generate`.")


@app.command(rich_help_panel=PANEL)
def costs(
    *, write: Annotated[bool, typer.Option("--write", help="Into docs/deploying.md.")] = False, check: Check = False
) -> None:
    """Show what a stage costs at rest and per million events, and which AWS quotas it uses."""
    from deploy.checks.costs import document, render_block, stale  # noqa: PLC0415

    with errors_as_lines():
        if write:
            path, text = document()
            path.write_text(text)
        elif not check:
            sys.stdout.write(f"{render_block()}\n")
        elif stale():
            raise DeployError("docs/deploying.md is stale: run `make generate`")

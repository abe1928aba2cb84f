"""The command that writes the start of a service."""

import sys
from typing import Annotated

import typer

from deploy.commands.errors import errors_as_lines
from deploy.scaffold.writing import create
from deploy.services import ROOT

app = typer.Typer()


@app.command("new-service", rich_help_panel="Check")
def new_service(name: Annotated[str, typer.Argument(help="Such as billing.")]) -> None:
    """Write the start of a service: a route, a subscription, an event, permissions and tests."""
    with errors_as_lines():
        sys.stdout.writelines(f"{line}\n" for line in create(name, ROOT))

"""Commands that deploy, compare, roll back, destroy and restore the stages of an AWS account."""

import time
from typing import Annotated

import typer

from deploy.commands.options import Service, StageOptions, sharing
from deploy.errors import RefusedError
from deploy.restore.operation import Restore
from deploy.services import require_service
from deploy.stage.command import deploy_all, deploy_one, destroy_stage, roll_back, show_difference

app = typer.Typer()
PANEL = "Deploy"


@app.command(rich_help_panel=PANEL)
@sharing(StageOptions)
def deploy(options: StageOptions) -> None:
    """Bring the platform and every service up to date; makes the stage if there is none."""
    deploy_all(options.command())


@app.command("deploy-service", rich_help_panel=PANEL)
@sharing(StageOptions)
def deploy_service(options: StageOptions, service: Service) -> None:
    """Bring one service up to date; nothing else moves."""
    deploy_one(options.command(), require_service(service))


@app.command(rich_help_panel=PANEL)
@sharing(StageOptions)
def diff(options: StageOptions, service: Service) -> None:
    """Show what deploying a service would change, and change nothing."""
    show_difference(options.command(), require_service(service))


@app.command(rich_help_panel=PANEL)
@sharing(StageOptions)
def rollback(options: StageOptions, service: Service) -> None:
    """Bring back the healthy release before the present one."""
    roll_back(options.command(), require_service(service))


@app.command(rich_help_panel=PANEL)
@sharing(StageOptions)
def destroy(
    options: StageOptions, with_data: Annotated[bool, typer.Option("--with-data", help="Erase the data, too.")] = False
) -> None:
    """Delete the stage's stacks. Tables, buckets, user pools and keys stay unless asked for."""
    destroy_stage(options.command(), with_data=with_data)


@app.command(rich_help_panel=PANEL)
@sharing(StageOptions)
def restore(
    options: StageOptions,
    service: Service,
    at: Annotated[str, typer.Option(help="A point in time: 2026-11-21T09:00:00Z.")] = "",
    table: Annotated[str, typer.Option(help="A table of the service that exists.")] = "",
) -> None:
    """Restore a service's table to a point in time, beside the present one, and swap; or swap to an existing table."""
    if bool(at) == bool(table):
        raise RefusedError("say either AT=2026-11-21T09:00:00Z or TABLE=tenfold-...")
    operation = Restore.of(options.command(), require_service(service), time.sleep)
    operation.at(at) if at else operation.use(table)

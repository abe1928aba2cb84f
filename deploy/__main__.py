"""`python -m deploy COMMAND`: the laptop's system, stages, dead letters, history, contracts and checks."""

import importlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import typer

from deploy.errors import DeployError

MODULES = {
    "local": ("up", "down", "status", "logs", "service", "run", "env", "supervise"),
    "stage": ("deploy", "deploy-service", "diff", "rollback", "destroy", "restore"),
    "dead_letters": ("dlq", "dlq-show", "redrive", "dlq-drop"),
    "history": ("replay", "rebuild"),
    "contracts": ("contracts",),
    "checks": ("check", "permissions", "costs"),
    "scaffold": ("new-service",),
}
"""Modules of `deploy.commands`, with the commands that each of them defines."""


class LazyCommands(Mapping[str, Any]):
    """Commands by name. Only the module of a command that is asked for is imported, so quick commands start quickly."""

    def __init__(self) -> None:
        self._modules = {name: module for module, names in MODULES.items() for name in names}

    def __getitem__(self, name: str) -> Any:
        module = importlib.import_module(f"deploy.commands.{self._modules[name]}")
        return typer.main.get_group(module.app).commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


def command_line() -> typer.core.TyperGroup:
    group = typer.core.TyperGroup(name="deploy", help=__doc__, no_args_is_help=True)
    group.commands = LazyCommands()  # type: ignore[assignment]  # only ever read
    return group


def main(arguments: list[str] | None = None) -> None:
    """Run one command. A DeployError becomes one line on standard error and exit code 1."""
    try:
        command_line().main(arguments, prog_name="python -m deploy")
    except DeployError as error:
        from rich.console import Console  # noqa: PLC0415  (only commands that print tables need it otherwise)
        from rich.markup import escape  # noqa: PLC0415

        Console(stderr=True).print(f"[red]error[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()

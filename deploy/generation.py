"""All generated files, written anew in another checkout: by new events and new services."""

from collections.abc import Callable
from pathlib import Path

COMMANDS = (("contracts", "generate"), ("permissions",), ("costs", "--write"))
"""The commands of `python -m deploy` that `make generate` runs."""


def generate_all(root: Path, run: Callable[..., None]) -> None:
    """Write every generated file below `root`. `run(root, module, *arguments)` runs one module there."""
    for command in COMMANDS:
        run(root, "deploy", *command)

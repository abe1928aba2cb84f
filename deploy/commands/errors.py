"""Errors of commands whose output other programs read: the message alone, on standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from deploy.errors import DeployError


@contextmanager
def errors_as_lines(*more: type[Exception], code: int = 1) -> Iterator[None]:
    """Print a DeployError, or one of `more`, and exit with `code`."""
    errors: tuple[type[Exception], ...] = (DeployError, *more)
    try:
        yield
    except errors as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(code) from None

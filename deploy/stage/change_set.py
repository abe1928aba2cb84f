"""The types of a stack: its state, a planned change, and a listener to its events."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class ChangeSet:
    """The planned change of a stack. `changes` are CloudFormation's own ResourceChange objects."""

    stack: str
    name: str
    creates: bool
    changes: tuple[dict[str, Any], ...]


StackEventListener = Callable[[dict[str, Any]], None]
"""Gets CloudFormation's own StackEvent objects, oldest first."""


@dataclass(frozen=True)
class Deployed:
    """The state of a stack: enough to bring it back."""

    status: str
    body: str
    parameters: dict[str, str]
    tags: dict[str, str]
    changed_at: datetime | None

"""Figures, and how each fact changes them. Pure, and commutative: the order in which events arrive does not matter."""

from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, Field

from contracts.common import TaskStatus


class Figures(BaseModel):
    """Counters of tasks. `done_on` is the throughput: how many were done on each day, less those reopened on it."""

    open: int = 0
    done: int = 0
    done_on: dict[date, int] = Field(default_factory=dict)


class ProjectFigures(Figures):
    project_id: str
    key: str = ""
    name: str = ""
    created: int = 0


class PersonFigures(Figures):
    user_id: str
    assigned: int = 0
    """The number of tasks ever assigned to them, less those taken away again."""


@dataclass(frozen=True)
class Change:
    """The amounts that a fact adds to the figures of a project or person. With a `day`, `done` is also throughput."""

    open: int = 0
    done: int = 0
    created: int = 0
    assigned: int = 0
    day: date | None = None


def task_created(status: TaskStatus, day: date) -> Change:
    return Change(open=_open_count(status), done=_done_count(status), created=1, day=day)


def task_assigned(status: TaskStatus) -> Change:
    """A task that is done already counts as the new assignee's done work, but not as their throughput."""
    return Change(open=_open_count(status), done=_done_count(status), assigned=1)


def task_unassigned(status: TaskStatus) -> Change:
    return Change(open=-_open_count(status), done=-_done_count(status), assigned=-1)


def status_changed(previous: TaskStatus, status: TaskStatus, day: date) -> Change:
    done = _done_count(status) - _done_count(previous)
    return Change(open=-done, done=done, day=day)


def _done_count(status: TaskStatus) -> int:
    return int(status is TaskStatus.DONE)


def _open_count(status: TaskStatus) -> int:
    return 1 - _done_count(status)

"""Figures, and how each fact changes them. Pure, and commutative: the order in which events arrive does not matter."""

from dataclasses import dataclass, field
from datetime import date

from pydantic import BaseModel, Field

from contracts.common import TaskStatus


class Figures(BaseModel):
    """`done_on` is the throughput: how many tasks were done each day, less those reopened that day."""

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
    """Tasks ever given to them, less those taken away again."""


@dataclass(frozen=True)
class Change:
    """What a fact adds to somebody's figures. `day` receives `done` as throughput."""

    open: int = 0
    done: int = 0
    created: int = 0
    assigned: int = 0
    day: date | None = field(default=None)


def task_created(status: TaskStatus, day: date) -> Change:
    return Change(open=_open(status), done=_done(status), created=1, day=day)


def task_assigned(status: TaskStatus) -> Change:
    """What was done before is not the new assignee's throughput, but it is their done work."""
    return Change(open=_open(status), done=_done(status), assigned=1)


def task_unassigned(status: TaskStatus) -> Change:
    return Change(open=-_open(status), done=-_done(status), assigned=-1)


def status_changed(previous: TaskStatus, status: TaskStatus, day: date) -> Change:
    return Change(open=_open(status) - _open(previous), done=_done(status) - _done(previous), day=day)


def _done(status: TaskStatus) -> int:
    return int(status is TaskStatus.DONE)


def _open(status: TaskStatus) -> int:
    return 1 - _done(status)

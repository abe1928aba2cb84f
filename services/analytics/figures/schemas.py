"""Views of figures."""

from datetime import date
from typing import Self

from chassis.http.schemas import View
from services.analytics.figures.model import PersonFigures, ProjectFigures


class FiguresView(View):
    """The figures that projects and people have in common."""

    open: int
    done: int
    done_on: dict[date, int]


class ProjectFiguresView(FiguresView):
    """A project's tasks. `done_on` is the throughput: how many were done on each day, less those reopened on it."""

    project_id: str
    key: str
    name: str
    created: int

    @classmethod
    def of(cls, figures: ProjectFigures) -> Self:
        return cls.model_validate(figures, from_attributes=True)


class PersonFiguresView(FiguresView):
    """A person's tasks. `assigned` counts the tasks ever assigned to them, less those taken away again."""

    user_id: str
    assigned: int

    @classmethod
    def of(cls, figures: PersonFigures) -> Self:
        return cls.model_validate(figures, from_attributes=True)

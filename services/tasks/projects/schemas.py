"""Request bodies and views of projects."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from chassis.http.schemas import RequestBody, Trimmed, View
from services.tasks.projects.model import PROJECT_KEY, Project


class NewProject(RequestBody):
    key: str = Field(pattern=PROJECT_KEY)
    name: Annotated[str, Trimmed] = Field(min_length=1, max_length=100)


class ProjectView(View):
    id: str
    version: int
    key: str
    name: str
    lead_id: str
    status: Literal["active"]
    created_at: datetime

    @classmethod
    def of(cls, project: Project) -> Self:
        return cls.model_validate(project, from_attributes=True)

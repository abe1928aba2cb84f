"""Projects: state, rules and events. Pure."""

import re
from datetime import datetime
from typing import Literal

from chassis.work.repository import Aggregate
from contracts.tasks import v1 as events

PROJECT_KEY = r"^[A-Z][A-Z0-9]{1,9}$"


def is_project_key(key: str) -> bool:
    return re.fullmatch(PROJECT_KEY, key) is not None


class Project(Aggregate):
    """A list of tasks. `key` is unique in the organization."""

    key: str
    name: str
    lead_id: str
    status: Literal["active"] = "active"
    created_at: datetime

    def created_event(self) -> events.ProjectCreated:
        return events.ProjectCreated(project_id=self.id, key=self.key, name=self.name, lead_id=self.lead_id)


class Numbers(Aggregate):
    """The counter of a project's task numbers; `id` is the project's, `last` the number of its newest task."""

    last: int = 0

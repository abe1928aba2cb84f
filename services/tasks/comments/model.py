"""Comments: state and events. Pure."""

from datetime import datetime

from pydantic import Field

from chassis.work.repository import Aggregate
from contracts.tasks import v1 as events
from services.tasks.tasks.model import Task


class Comment(Aggregate):
    """A text about a task, and the members that it mentions."""

    task_id: str
    author_id: str
    text: str
    mentioned_ids: list[str] = Field(default_factory=list)
    created_at: datetime

    def added_event(self, task: Task) -> events.CommentAdded:
        return events.CommentAdded(
            comment_id=self.id,
            task_id=task.id,
            project_id=task.project_id,
            task_title=task.title,
            author_id=self.author_id,
            text=self.text,
            mentioned_ids=self.mentioned_ids,
        )

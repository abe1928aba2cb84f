"""Request bodies and views of comments."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from chassis.http.schemas import RequestBody, Trimmed, View
from services.tasks.comments.model import Comment


class NewComment(RequestBody):
    text: Annotated[str, Trimmed] = Field(min_length=1, max_length=5000)


class CommentView(View):
    id: str
    version: int
    task_id: str
    author_id: str
    text: str
    mentioned_ids: list[str]
    created_at: datetime

    @classmethod
    def of(cls, comment: Comment) -> Self:
        return cls.model_validate(comment, from_attributes=True)

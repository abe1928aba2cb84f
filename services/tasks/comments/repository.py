"""The access patterns of comments."""

from collections.abc import Sequence

from chassis.storage.keys import ListEntry
from chassis.work.repository import Listing, Page, PageRequest, Repository
from services.tasks.comments.model import Comment

COMMENTS = Listing(index=1, name="COMMENTS")


class CommentRepository(Repository[Comment]):
    kind = "COMMENT"
    model = Comment

    def lists(self, aggregate: Comment) -> Sequence[ListEntry]:
        return [COMMENTS.entry(self.scope, aggregate.id, aggregate.created_at.isoformat(), of=aggregate.task_id)]

    async def of_task(self, task_id: str, request: PageRequest) -> Page[Comment]:
        return await self.page(COMMENTS, request, task_id)

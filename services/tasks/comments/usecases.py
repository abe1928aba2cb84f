"""Adding and listing comments."""

from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from services.tasks.comments.model import Comment
from services.tasks.comments.repository import CommentRepository
from services.tasks.people import usecases as people
from services.tasks.tasks.repository import TaskRepository


async def add_comment(scope: OrgScope, task_id: str, text: str) -> Comment:
    """Add a comment and publish whom it mentions. Raises NotFound for the task."""
    task = await TaskRepository(scope).get(task_id)
    comment = Comment(
        id=scope.new_id("cmt"),
        task_id=task.id,
        author_id=scope.actor.person_id,
        text=text,
        mentioned_ids=await people.find_mentioned(scope, text),
        created_at=scope.now(),
    )
    unit = scope.unit_of_work()
    saved = CommentRepository(scope).create(unit, comment)
    unit.publish(saved.added_event(task), version=saved.version)
    return await unit.answer(saved)


async def list_comments(scope: OrgScope, task_id: str, request: PageRequest) -> Page[Comment]:
    """The comments from the first to the last. Raises NotFound for the task."""
    await TaskRepository(scope).get(task_id)
    return await CommentRepository(scope).of_task(task_id, request)

"""Saying something about a task, and to whom."""

from chassis.tenants.members import Members
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from services.tasks.model import Comment
from services.tasks.people import People, has_handles
from services.tasks.repository import CommentRepository, TaskRepository


async def add_comment(scope: OrgScope, task_id: str, text: str) -> Comment:
    """Raises NotFound for the task."""
    task = await TaskRepository(scope).get(task_id)
    comment = Comment(
        id=scope.new_id("cmt"),
        task_id=task.id,
        author_id=scope.actor.person_id,
        text=text,
        mentioned_ids=await _mentioned(scope, text),
        created_at=scope.now(),
    )
    unit = scope.unit_of_work()
    saved = CommentRepository(scope).create(unit, comment)
    unit.publish(saved.added_event(task), version=saved.version)
    return await unit.answer(saved)


async def list_comments(scope: OrgScope, task_id: str, request: PageRequest) -> Page[Comment]:
    """From the first to the last. Raises NotFound for the task."""
    await TaskRepository(scope).get(task_id)
    return await CommentRepository(scope).of_task(task_id, request)


async def _mentioned(scope: OrgScope, text: str) -> list[str]:
    if not has_handles(text):
        return []
    people = People([member async for member in Members(scope).all_active()])
    return people.mentioned_in(text, author_id=scope.actor.person_id)

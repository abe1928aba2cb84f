"""HTTP routes of comments: parse, authorize, call, render."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.route import Route
from chassis.http.schemas import Paged, PathId
from chassis.work.repository import Page
from chassis.work.scope import OrgScope
from services.tasks.comments import usecases
from services.tasks.comments.schemas import CommentView, NewComment
from services.tasks.permissions import guard

router = APIRouter(prefix="/v1/tasks/{task_id}/comments", tags=["tasks"], route_class=Route)


@router.post("", status_code=201)
async def add_comment(
    scope: Annotated[OrgScope, Depends(guard("tasks.comment.create"))], task_id: PathId, body: NewComment
) -> CommentView:
    """`@handle` mentions a member: the local part of their address, or all of it."""
    return CommentView.of(await usecases.add_comment(scope, task_id, body.text))


@router.get("")
async def list_comments(
    scope: Annotated[OrgScope, Depends(guard("tasks.comment.list"))], task_id: PathId, page: Paged
) -> Page[CommentView]:
    """The comments on a task, from the first to the last."""
    return (await usecases.list_comments(scope, task_id, page)).map(CommentView.of)

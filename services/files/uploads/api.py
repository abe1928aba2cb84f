"""HTTP: parse, authorize, call, render."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.route import Route
from chassis.work.scope import OrgScope
from services.files.permissions import guard
from services.files.uploads import usecases
from services.files.uploads.schemas import NewFile, RequestedView

router = APIRouter(prefix="/v1/files", tags=["files"], route_class=Route)


Creator = Annotated[OrgScope, Depends(guard("files.file.create"))]


@router.post("", status_code=201)
async def request_upload(scope: Creator, body: NewFile) -> RequestedView:
    """Request the upload of one file. The answer is a form that the store takes; its event then confirms the file."""
    return RequestedView.of(
        await usecases.request_upload(scope, name=body.name, content_type=body.content_type, size=body.size)
    )

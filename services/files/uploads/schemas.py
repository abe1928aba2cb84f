"""Request bodies and views of uploads."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field

from chassis.http.schemas import RequestBody, View
from contracts.common import FileId
from services.files.uploads.model import RequestedUpload, check_name


class NewFile(RequestBody):
    """The file that is going to be uploaded. `size` is in bytes, and exact."""

    name: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(check_name)]
    content_type: str = Field(min_length=1, max_length=127)
    size: int = Field(ge=0, strict=True)


class UploadView(BaseModel):
    """POST multipart/form-data to `url` before `expires_at`: all `fields`, then the content as the field `file`."""

    url: str
    fields: dict[str, str]
    expires_at: datetime


class RequestedView(View):
    id: FileId
    upload: UploadView

    @classmethod
    def of(cls, requested: RequestedUpload) -> Self:
        form = requested.form
        return cls(
            id=requested.file.id,
            upload=UploadView(url=form.url, fields=form.fields, expires_at=requested.expires_at),
        )

"""HTTP routes of imports: parse, authorize, call, render."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from chassis.errors import UnsupportedType
from chassis.http.route import Route
from chassis.http.schemas import PathId
from chassis.work.scope import OrgScope
from services.tasks.imports import usecases
from services.tasks.imports.schemas import ImportReport
from services.tasks.permissions import guard

router = APIRouter(prefix="/v1/imports", tags=["tasks"], route_class=Route)
CSV = "text/csv"


@router.post(
    "",
    status_code=202,
    openapi_extra={"requestBody": {"required": True, "content": {CSV: {"schema": {"type": "string"}}}}},
)
async def request_import(
    scope: Annotated[OrgScope, Depends(guard("tasks.import.create"))], request: Request
) -> ImportReport:
    """A CSV file, UTF-8, of at most 1 MB and 5000 rows, with a header.

    Its columns, in any order: project (a key), title, and if wanted description, priority, assignee (an address),
    due_date (2027-01-31), labels (separated by semicolons).
    """
    _require_csv(request)
    return ImportReport.of(await usecases.request_import(scope, await request.body()))


@router.get("/{import_id}")
async def read_import(
    scope: Annotated[OrgScope, Depends(guard("tasks.import.read"))], import_id: PathId
) -> ImportReport:
    """The progress of an import."""
    return ImportReport.of(await usecases.read_import(scope, import_id))


def _require_csv(request: Request) -> None:
    """Raises UnsupportedType for any other content type or charset."""
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = parameters.partition("charset=")[2].strip(' "') or "utf-8"
    if kind.strip() != CSV or charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedType(f"Send the file itself, as {CSV} in UTF-8.")

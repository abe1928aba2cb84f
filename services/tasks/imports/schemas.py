"""Views of imports."""

from typing import Literal, Self

from chassis.http.schemas import View
from services.tasks.imports.model import ImportProgress


class RowErrorView(View):
    """An error in a field of a data row (counted from 1), with what to do about it."""

    row: int
    field: str
    message: str


class ImportReport(View):
    """The progress of an import. `failed` counts rows; a row with several errors appears in `errors` several times."""

    id: str
    status: Literal["running", "completed"]
    rows: int
    created: int
    failed: int
    errors: list[RowErrorView]

    @classmethod
    def of(cls, progress: ImportProgress) -> Self:
        imported = progress.imported
        return cls(
            id=imported.id,
            status=imported.status,
            rows=imported.rows,
            created=imported.created,
            failed=imported.failed,
            errors=[RowErrorView(row=each.row, field=each.field, message=each.message) for each in progress.errors],
        )

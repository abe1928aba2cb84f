"""Moments in requests: RFC 3339 with any offset comes in, UTC goes on. What has no offset names no moment: refused."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is beyond the years that we can tell") from None


Moment = Annotated[AwareDatetime, AfterValidator(_utc)]

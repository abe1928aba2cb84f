"""Request bodies of onboarding."""

from typing import Annotated

from pydantic import Field

from chassis.http.schemas import RequestBody, Trimmed


class NewOrganization(RequestBody):
    name: Annotated[str, Trimmed, Field(min_length=1, max_length=100)]
    slug: Annotated[str, Trimmed, Field(pattern=r"^[a-z0-9-]{3,40}$")]

"""Events, their envelope on the bus, and the registry of every event version."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from contracts.common import OrgId

SOURCE_PREFIX: Final = "tenfold."
MAX_ENTRY_BYTES: Final = 256 * 1024
"""The size limit of EventBridge for an entry (source, detail type and detail together)."""


class ContractError(Exception):
    """A contract is wrongly declared or used. The message names it and says what to do."""


@dataclass(frozen=True)
class Secret:
    """A marker of fields (`Annotated[str, Secret()]`) that must not be stored or shown: audit and logs omit them."""

    schema_key: ClassVar[str] = "x-secret"


class Event(BaseModel):
    """A fact: immutable, named in the past tense, published under one versioned type.

    `class TaskAssigned(Event, type="tasks.task.assigned.v1", subject="task_id")` registers the type. `subject` names
    the field with the id of the aggregate. Fields marked `Secret` never reach the audit trail or a log.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    event_type: ClassVar[str]
    subject_field: ClassVar[str]

    def __init_subclass__(cls, *, type: str, subject: str, **kwargs: Any) -> None:  # noqa: A002
        super().__init_subclass__(**kwargs)
        cls.event_type, cls.subject_field = type, subject

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        parts = cls.event_type.split(".")
        service, version = parts[0], parts[-1]
        expected = f"contracts.{service}.{version}"
        if len(parts) != 4 or (cls.__module__.startswith("contracts.") and cls.__module__ != expected):
            raise ContractError(f"{cls.__name__}: type {cls.event_type!r} must be service.entity.fact.vN in {expected}")
        if cls.subject_field not in cls.model_fields:
            raise ContractError(f"{cls.event_type}: subject {cls.subject_field!r} is not one of its fields")
        if cls.event_type in REGISTRY:
            other = REGISTRY[cls.event_type]
            raise ContractError(
                f"{cls.__module__}: {cls.__name__} has the type {cls.event_type}, which already belongs to "
                f"{other.__module__}.{other.__name__}; give one of the two events another type or version"
            )
        REGISTRY[cls.event_type] = cls

    @classmethod
    def owner(cls) -> str:
        """The only service that may publish the event."""
        return cls.event_type.split(".", 1)[0]

    @classmethod
    def schema_path(cls) -> str:
        """The path of its JSON Schema, relative to the root of the repository."""
        return f"contracts/schemas/{cls.event_type}.json"

    @classmethod
    def secret_fields(cls) -> frozenset[str]:
        return frozenset(name for name, field in cls.model_fields.items() if Secret() in field.metadata)

    def subject(self) -> str:
        """The id of the aggregate that the event is about."""
        return str(getattr(self, self.subject_field))


REGISTRY: dict[str, type[Event]] = {}


class Envelope(BaseModel):
    """A CloudEvents 1.0 JSON event with Tenfold's extension attributes.

    https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md: attribute names consist of lower-case letters
    and digits, so the extensions have no underscores.
    """

    model_config = ConfigDict(frozen=True)

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1, max_length=64)
    source: str
    type: str
    time: datetime
    subject: str
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str
    orgid: OrgId
    actor: str
    aggregateversion: int = Field(ge=0)
    correlationid: str
    causationid: str | None = None
    successor: str | None = None
    """The newer type under which the same fact is published, too; a consumer of that type ignores this event."""
    traceparent: str | None = None
    clientip: str | None = None
    useragent: str | None = None
    data: dict[str, Any]

    @classmethod
    def parse(cls, raw: dict[str, Any]) -> Self:
        """Validates the parsed `detail` of a bus event. Raises pydantic's ValidationError."""
        return cls.model_validate(raw)

"""The tolerant reader: a consumer's own subset of an event, which is the only part of it that the consumer can read."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Generic, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, create_model

from contracts.event import ContractError, Event

E = TypeVar("E", bound=Event)


_refusals: ContextVar[list[str] | None] = ContextVar("refusals", default=None)


@contextmanager
def collect_refusals() -> Iterator[list[str]]:
    """Lists what is wrong with readers that are defined meanwhile, instead of refusing them.

    It is for the check that reports all mistakes at once, with the handlers that they concern.
    """
    refusals: list[str] = []
    token = _refusals.set(refusals)
    try:
        yield refusals
    finally:
        _refusals.reset(token)


class Reads(BaseModel, Generic[E]):
    """A consumer's subset of an event: `class Assigned(Reads[tasks.TaskAssigned])` lists the fields that it depends on.

    The types of the fields are the consumer's own, and fields that the producer adds later are ignored. A field that
    the producer's contract does not have, or that is required here and optional there, is refused when the class is
    defined (ContractError).
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    reads: ClassVar[type[Event]]

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        arguments = (getattr(base, "__pydantic_generic_metadata__", {}).get("args") for base in cls.__mro__[1:])
        kinds = (args[0] for args in arguments if args and isinstance(args[0], type))
        event = next((kind for kind in kinds if issubclass(kind, Event)), None)
        if event is None:
            return
        cls.reads = event
        for name, field in cls.model_fields.items():
            origin = event.model_fields.get(name)
            if origin is None:
                _refuse(f"{cls.__qualname__} reads {name!r}, which {event.event_type} does not have")
            elif field.is_required() and not origin.is_required() and type(None) in get_args(origin.annotation):
                _refuse(f"{cls.__qualname__} requires {name!r}, which {event.event_type} may leave out")


def reader_of(event: type[Event], fields: type[BaseModel]) -> "type[Reads[Any]]":
    """A reader of `event` with the given fields, for facts that each service publishes under its own type."""
    reads: type[Reads[Any]] = Reads.__class_getitem__(event)  # type: ignore[assignment]
    bases: Any = (fields, reads)
    reader: Any = create_model(fields.__name__, __base__=bases)
    return cast("type[Reads[Any]]", reader)


def _refuse(reason: str) -> None:
    refusals = _refusals.get()
    if refusals is None:
        raise ContractError(reason)
    refusals.append(reason)

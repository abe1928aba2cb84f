"""The tolerant reader: a consumer's own subset of an event, which is all that it can read of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Generic, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, create_model

from contracts.event import ContractError, Event

E = TypeVar("E", bound=Event)


_collected: ContextVar[list[str] | None] = ContextVar("collected", default=None)


@contextmanager
def collecting() -> Iterator[list[str]]:
    """Readers defined meanwhile are not refused; what is wrong with them is listed. For the check that reports all of
    it at once, and with the handlers that it concerns."""
    found: list[str] = []
    token = _collected.set(found)
    try:
        yield found
    finally:
        _collected.reset(token)


class Reads(BaseModel, Generic[E]):
    """`class Assigned(Reads[tasks.TaskAssigned])` lists the fields that one consumer depends on, with its own types.

    Fields that the producer adds later are ignored; a field that the producer's contract does not have, or has only
    as optional while the reader requires it, is refused when the class is defined (ContractError).
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    reads: ClassVar[type[Event]]

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        event = _event_of(cls)
        if event is None:
            return
        cls.reads = event
        for name, field in cls.model_fields.items():
            promised = event.model_fields.get(name)
            if promised is None:
                _refuse(f"{cls.__qualname__} reads {name!r}, which {event.event_type} does not have")
            elif field.is_required() and not promised.is_required() and type(None) in get_args(promised.annotation):
                _refuse(f"{cls.__qualname__} requires {name!r}, which {event.event_type} may leave out")


def reader_of(event: type[Event], fields: type[BaseModel]) -> "type[Reads[Any]]":
    """A reader with these fields. For a fact that each service publishes under a type of its own."""
    reads: type[Reads[Any]] = Reads.__class_getitem__(event)  # type: ignore[assignment]
    bases: Any = (fields, reads)
    made: Any = create_model(fields.__name__, __base__=bases)
    return cast("type[Reads[Any]]", made)


def _refuse(what: str) -> None:
    found = _collected.get()
    if found is None:
        raise ContractError(what)
    found.append(what)


def _event_of(cls: type[BaseModel]) -> type[Event] | None:
    for base in cls.__mro__:
        args = getattr(base, "__pydantic_generic_metadata__", {}).get("args", ())
        if args and isinstance(args[0], type) and issubclass(args[0], Event) and base is not cls:
            return args[0]
    return None

"""The access that each route requires, read from its dependencies by the OpenAPI, the documents and the tests.

A route declares it by its guard, by `SignedIn`, or by `Anonymous`, the explicit mark of a public route. A route that
declares nothing keeps its service from starting.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from fastapi.dependencies.models import Dependant

from chassis.errors import DeclarationError
from contracts.common import Role

MARK = "__tenfold_access__"
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Access:
    """`role` is the least role that `operation` needs. `conditional` are further operations, each with its least role,
    that the use case requires depending on whom or what the request is about. `while_suspended`: a suspended
    organization's members may use it, too. An operation of the kind `staff` is for the platform's staff, and needs no
    role."""

    kind: Literal["guarded", "staff", "signed-in", "public"]
    operation: str | None = None
    role: Role | None = None
    conditional: Mapping[str, Role] = field(default_factory=dict)
    while_suspended: bool = False

    def extensions(self) -> dict[str, Any]:
        """The extension members of the route's operation in the OpenAPI document."""
        if self.kind != "guarded" or self.role is None:
            return {"x-access": self.kind} | ({"x-operation": self.operation} if self.operation else {})
        members: dict[str, Any] = {"x-operation": self.operation, "x-required-role": self.role.value}
        if self.conditional:
            members["x-conditional-roles"] = {name: role.value for name, role in self.conditional.items()}
        if self.while_suspended:
            members["x-while-suspended"] = True
        return members


def mark_access(access: Access, dependency: F) -> F:
    """Mark a dependency as the one that decides on access to a route."""
    setattr(dependency, MARK, access)
    return dependency


def access_of(dependant: Dependant, name: str) -> Access:
    """The access of a route. Raises DeclarationError for one with no guard, or with two that may disagree."""
    marks = {id(access): access for access in _marks(dependant)}
    if len(marks) != 1:
        problem = "no guard" if not marks else "several guards"
        raise DeclarationError(f"{name} has {problem}; give it guard(...), SignedIn, or Anonymous if it is public")
    return next(iter(marks.values()))


def _marks(dependant: Dependant) -> Iterator[Access]:
    mark = getattr(dependant.call, MARK, None)
    if mark is not None:
        yield mark
    for inner in dependant.dependencies:
        yield from _marks(inner)

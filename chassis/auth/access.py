"""What each route asks of its caller, found in its dependencies: the OpenAPI, the documents and the tests read it here.

A route says it by its guard, by `SignedIn`, or by `Anonymous`, which is the explicit mark of a public route. One that
says nothing keeps its service from starting.
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
    """`role` is the least that `operation` needs. `conditional` are operations that the use case asks for as well,
    depending on whom or what it is about, each with its least role. `while_suspended`: a suspended organization's
    members may use it, too. An operation of the kind `staff` is for the platform's staff, and needs no role."""

    kind: Literal["guarded", "staff", "signed-in", "public"]
    operation: str | None = None
    role: Role | None = None
    conditional: Mapping[str, Role] = field(default_factory=dict)
    while_suspended: bool = False

    def extensions(self) -> dict[str, Any]:
        """The members that it adds to its operation in the OpenAPI document."""
        if self.kind != "guarded" or self.role is None:
            return {"x-access": self.kind} | ({"x-operation": self.operation} if self.operation else {})
        said: dict[str, Any] = {"x-operation": self.operation, "x-required-role": self.role.value}
        if self.conditional:
            said["x-conditional-roles"] = {name: role.value for name, role in self.conditional.items()}
        if self.while_suspended:
            said["x-while-suspended"] = True
        return said


def mark_access(access: Access, dependency: F) -> F:
    """Mark a dependency as what decides who may come in."""
    setattr(dependency, MARK, access)
    return dependency


def access_of(dependant: Dependant, name: str) -> Access:
    """Raises DeclarationError for a route with no guard, or with two that may disagree."""
    found = {id(access): access for access in _marks(dependant)}
    if len(found) != 1:
        problem = "no guard" if not found else "several guards"
        raise DeclarationError(f"{name} has {problem}; give it guard(...), SignedIn, or Anonymous if it is public")
    return next(iter(found.values()))


def _marks(dependant: Dependant) -> Iterator[Access]:
    mark = getattr(dependant.call, MARK, None)
    if mark is not None:
        yield mark
    for inner in dependant.dependencies:
        yield from _marks(inner)

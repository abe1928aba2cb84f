"""IAM's decision on a request, for the policies that we write.

It supports the operators of our policies and raises for others. A condition key that a request does not have fails
every operator except `Null`, as on AWS.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """One action on one resource, with its condition keys."""

    action: str
    resource: str
    context: frozenset[tuple[str, str]] = field(default=frozenset())

    @classmethod
    def of(cls, action: str, resource: str, **context: str) -> "Request":
        return cls(action, resource, frozenset(context.items()))

    def with_context(self, context: Mapping[str, str]) -> "Request":
        return Request(self.action, self.resource, frozenset(context.items()))


@dataclass(frozen=True)
class Grant:
    """Permission for one action on a pattern of resources."""

    action: str
    resource: str
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def covers(self, request: Request) -> bool:
        """Whether the grant allows a request. Raises ValueError for an unsupported operator."""
        context = dict(request.context)
        return (
            like(self.action.lower()).fullmatch(request.action.lower()) is not None
            and like(self.resource).fullmatch(request.resource) is not None
            and all(_holds(operator, context.get(key), wanted) for operator, key, wanted in self.conditions)
        )


def grants(statements: Iterable[Statement]) -> list[Grant]:
    """The grants in statements, one per action and resource. Raises ValueError unless they are plain Allows."""
    result = []
    for statement in statements:
        if statement["Effect"] != "Allow" or not statement.keys() <= {"Effect", "Action", "Resource", "Condition"}:
            raise ValueError(f"only plain Allows are supported, not {statement}")
        conditions = tuple(
            (operator, key, tuple(as_list(wanted)))
            for operator, tests in statement.get("Condition", {}).items()
            for key, wanted in tests.items()
        )
        result += [
            Grant(action, resource, conditions)
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        ]
    return result


def is_allowed(granted: Iterable[Grant], request: Request) -> bool:
    return any(grant.covers(request) for grant in granted)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@lru_cache(4096)
def like(pattern: str) -> re.Pattern[str]:
    """A pattern with IAM's wildcards: `*` for any text, `?` for one character."""
    return re.compile("".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in pattern), re.DOTALL)


def _holds(operator: str, actual: str | None, wanted: tuple[str, ...]) -> bool:
    match operator:
        case "Null":
            return (actual is None) == (wanted == ("true",))
        case "StringEquals":
            return actual in wanted
        case "StringLike":
            return actual is not None and any(like(each).fullmatch(actual) for each in wanted)
    raise ValueError(f"the operator {operator} is not supported")

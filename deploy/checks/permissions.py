"""`python -m deploy.checks.permissions [--check]`: docs/permissions.md, every operation of every service by role."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from chassis.auth.access import Access, access_of
from chassis.declare.service import load, service
from chassis.errors import DeclarationError
from contracts.common import Role
from deploy.services import ROOT, service_names

PAGE = ROOT / "docs/permissions.md"
OTHERS = {
    "staff": "The platform's staff (the group `superadmin`), in any organization",
    "signed-in": "Anybody signed in, for themselves",
    "public": "Anybody, without a token",
}
YES, NO = "✓", "–"
HEAD = f"""# Who may do what

Made by `make generate` from each service's `permissions.py` and from the guards of its routes; do not edit it.

A role may all that the roles to its left may. {YES} is allowed; {NO} is refused with 403, which names the operation.
Whoever does not belong to the organization gets 404 or 401 instead, the same as for what does not exist. What depends
on the other person's role too (nobody grants or removes above their own) stands in the services' models.

A membership can override its role: `PUT /v1/organizations/{{org_id}}/members/{{user_id}}/permissions` grants or denies
single operations. Allowed is what the role covers or the membership grants, less what it denies; what is an owner's
alone is never granted, and an owner is denied nothing ([why](adr/0011-standing.md)). While the organization is
suspended, its members may only what is marked so; everything else is refused with 403 `organization-suspended`.
"""


OPERATIONS = ROOT / "contracts/permissions.py"
OPERATIONS_HEAD = '''"""Every operation of every service, with the least role that may do it.

Made by `make generate` from each service's `permissions.py`; do not edit it. Tenancy and identity read it, to know what
can be granted and denied. It may be older than another service: what it does not name yet cannot be granted yet.
"""

from collections.abc import Mapping

from contracts.common import Role

'''


@dataclass(frozen=True)
class Route:
    name: str
    access: Access


def routes_of(name: str) -> list[Route]:
    """The routes of a service and what they ask of their caller. Raises DeclarationError for one that does not say
    it."""
    found = []
    for route in service(name).load_router().routes:
        methods, path = ",".join(sorted(getattr(route, "methods", ()))), getattr(route, "path", "")
        access = access_of(route.dependant, path)  # type: ignore[attr-defined]
        found.append(Route(f"{methods} {path}", access))
    return found


def permissions_of(name: str) -> Mapping[str, Role]:
    table: Mapping[str, Role] = load(f"services.{name}.permissions:PERMISSIONS")
    return table


def rendered() -> str:
    """The page. Raises DeclarationError for an operation that no route asks for."""
    return "\n".join([HEAD, *(line for name in service_names() for line in _section(name))])


def _section(name: str) -> Iterator[str]:
    table, routes = permissions_of(name), routes_of(name)
    yield f"## {name}\n"
    if table:
        yield f"| Operation | {' | '.join(Role)} | Routes |"
        yield f"| --- |{' :-: |' * len(Role)} --- |"
        for operation, least in sorted(table.items()):
            marks = " | ".join(YES if role.covers(least) else NO for role in Role)
            yield f"| `{operation}` | {marks} | {_asking(operation, routes)} |"
        yield ""
    for kind, words in OTHERS.items():
        if open_ones := [f"`{route.name}`" for route in routes if route.access.kind == kind]:
            yield f"{words}: {', '.join(open_ones)}.\n"


def _asking(operation: str, routes: list[Route]) -> str:
    by_guard = [
        f"`{route.name}`{' (also while suspended)' if route.access.while_suspended else ''}"
        for route in routes
        if route.access.operation == operation
    ]
    within = [f"`{route.name}` (by whom it concerns)" for route in routes if operation in route.access.conditional]
    if not by_guard + within:
        raise DeclarationError(f"{operation} stands in permissions.py, but no route asks for it; remove it or use it")
    return "<br>".join(by_guard + within)


def operations() -> str:
    """contracts/permissions.py: what tenancy may let people grant and deny."""
    tables = [permissions_of(name) for name in service_names()]
    lines = [f'    "{operation}": Role.{least.name},' for table in tables for operation, least in sorted(table.items())]
    return OPERATIONS_HEAD + "\n".join(["OPERATIONS: Mapping[str, Role] = {", *lines, "}", ""])


def generated() -> dict[Path, str]:
    """Every file, with what should stand in it. Raises DeclarationError."""
    return {PAGE: rendered(), OPERATIONS: operations()}


def stale() -> list[str]:
    return [
        path.relative_to(ROOT).as_posix()
        for path, text in generated().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main(arguments: list[str]) -> int:
    try:
        if arguments == ["--check"]:
            if names := stale():
                sys.stderr.write(f"{' and '.join(names)}: not what the services say. Run `make generate`.\n")
                return 1
            return 0
        for path, text in generated().items():
            path.write_text(text, encoding="utf-8")
    except DeclarationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

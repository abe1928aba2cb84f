"""The table of permissions: every operation of every service by role, in docs/permissions.md and in the contracts."""

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

Each role includes the roles to its left. {YES} is allowed; {NO} is refused with 403, which names the operation. People
who do not belong to the organization get 404 or 401 instead, the same as for what does not exist. Rules that also
depend on the other person's role (nobody grants or removes above their own) are in the services' models.

A membership can override its role: `PUT /v1/organizations/{{org_id}}/members/{{user_id}}/permissions` grants or denies
single operations. Allowed is what the role covers or the membership grants, less what it denies. Operations that only
owners have cannot be granted, and owners cannot be denied any ([why](adr/0011-standing.md)). While the organization is
suspended, its members can use only what is marked so; everything else is refused with 403 `organization-suspended`.
"""


OPERATIONS = ROOT / "contracts/permissions.py"
OPERATIONS_HEAD = '''"""Every operation of every service, with the lowest role that has it.

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
    """The routes of a service and the access that they require. Raises DeclarationError for a route without any."""
    routes = []
    for route in service(name).load_router().routes:
        methods, path = ",".join(sorted(getattr(route, "methods", ()))), getattr(route, "path", "")
        access = access_of(route.dependant, path)  # type: ignore[attr-defined]
        routes.append(Route(f"{methods} {path}", access))
    return routes


def permissions_of(name: str) -> Mapping[str, Role]:
    table: Mapping[str, Role] = load(f"services.{name}.permissions:PERMISSIONS")
    return table


def render_page() -> str:
    """docs/permissions.md. Raises DeclarationError for an operation that no route asks for."""
    return "\n".join([HEAD, *(line for name in service_names() for line in _section(name))])


def _section(name: str) -> Iterator[str]:
    table, routes = permissions_of(name), routes_of(name)
    yield f"## {name}\n"
    if table:
        yield f"| Operation | {' | '.join(Role)} | Routes |"
        yield f"| --- |{' :-: |' * len(Role)} --- |"
        for operation, least in sorted(table.items()):
            marks = " | ".join(YES if role.covers(least) else NO for role in Role)
            yield f"| `{operation}` | {marks} | {_routes_requiring(operation, routes)} |"
        yield ""
    for kind, words in OTHERS.items():
        if open_ones := [f"`{route.name}`" for route in routes if route.access.kind == kind]:
            yield f"{words}: {', '.join(open_ones)}.\n"


def _routes_requiring(operation: str, routes: list[Route]) -> str:
    by_guard = [
        f"`{route.name}`{' (also while suspended)' if route.access.while_suspended else ''}"
        for route in routes
        if route.access.operation == operation
    ]
    within = [
        f"`{route.name}` (depending on whom it concerns)" for route in routes if operation in route.access.conditional
    ]
    if not by_guard + within:
        raise DeclarationError(f"{operation} is in permissions.py, but no route requires it; remove it or use it")
    return "<br>".join(by_guard + within)


def operations() -> str:
    """contracts/permissions.py: the operations that tenancy lets people grant and deny."""
    tables = [permissions_of(name) for name in service_names()]
    lines = [f'    "{operation}": Role.{least.name},' for table in tables for operation, least in sorted(table.items())]
    return OPERATIONS_HEAD + "\n".join(["OPERATIONS: Mapping[str, Role] = {", *lines, "}", ""])


def generated_files() -> dict[Path, str]:
    """Every generated file with its text. Raises DeclarationError."""
    return {PAGE: render_page(), OPERATIONS: operations()}


def write() -> None:
    """Write every generated file. Raises DeclarationError."""
    for path, text in generated_files().items():
        path.write_text(text, encoding="utf-8")


def stale() -> list[str]:
    """The generated files that differ from what the services declare. Raises DeclarationError."""
    return [
        path.relative_to(ROOT).as_posix()
        for path, text in generated_files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]

"""Which names a new service can have."""

import keyword
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.checks.permissions import routes_of
from deploy.services import service_names
from deploy.stage.errors import RefusedError
from deploy.template.base import MAX_STAGE, Target
from deploy.template.functions import MAX_NAME
from deploy.template.shared import STACK

LONGEST_FUNCTION = 24
"""Letters that are left to the names of its functions, such as `AssignmentsConsumer`."""
LONGEST = MAX_NAME - len(f"{Target('s' * MAX_STAGE).names.stack('')}-") - LONGEST_FUNCTION
RESERVED = {
    STACK: "the stack of what all services share has that name",
    "system": "the reserved organization and actor have that name",
    "member": "every service's members have that name",
    "tenfold": "the documents of all services together have that name",
}
_NAME = re.compile(r"[a-z][a-z0-9]*")


def checked_name(name: str, root: Path) -> str:
    """`name` itself. Raises RefusedError, with the reason, if no service can be called so."""
    reason = next(_reasons(name, root), None)
    if reason:
        raise RefusedError(f"NAME={name} can be no service: {reason}")
    return name


def _reasons(name: str, root: Path) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield "use lower-case letters and digits, a letter first, such as billing"
    if len(name) > LONGEST:
        yield f"it has {len(name)} letters, and more than {LONGEST} leave AWS's names of its functions no room"
    if name in RESERVED:
        yield f"{RESERVED[name]}; choose another"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        yield "it is a word of Python; choose another"
    if name in sys.stdlib_module_names:
        yield "a module of Python's standard library has that name; choose another"
    if name in service_names(root):
        yield "there is a service of that name; choose another"
    yield from (f"{path.relative_to(root)} is there; choose another" for path in places(name, root) if path.exists())
    yield from (f"{other} has the route {path}; choose another" for other, path in _routes_under(f"/v1/{name}"))


def places(name: str, root: Path) -> list[Path]:
    """What a service of that name would have for itself."""
    return [
        root / "services" / name,
        root / "contracts" / name,
        root / "contracts" / f"{name}.py",
        root / "tests/services" / name,
        root / "verification/isolation/seeds" / f"{name}.py",
    ]


def _routes_under(prefix: str) -> Iterator[tuple[str, str]]:
    """The routes of other services there, with who has them."""
    for other in service_names():
        paths = (route.name.rpartition(" ")[2] for route in routes_of(other))
        yield from ((other, path) for path in paths if f"{path}/".startswith(f"{prefix}/"))

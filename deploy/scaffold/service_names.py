"""The names that a new service can have."""

import keyword
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.checks.permissions import routes_of
from deploy.errors import RefusedError
from deploy.services import service_names
from deploy.template.base import MAX_STAGE, Target
from deploy.template.functions import MAX_NAME
from deploy.template.shared import STACK

LONGEST_FUNCTION = 24
"""Letters that the name of a function may have, such as `AssignmentsConsumer`."""
LONGEST = MAX_NAME - len(f"{Target('s' * MAX_STAGE).names.stack('')}-") - LONGEST_FUNCTION
RESERVED = {
    STACK: "the stack that all services share has that name",
    "system": "the reserved organization and actor have that name",
    "member": "every service's members have that name",
    "tenfold": "the documents of all services together have that name",
}
_NAME = re.compile(r"[a-z][a-z0-9]*")


def check_name(name: str, root: Path) -> None:
    """Raises RefusedError, with the reason, if no service can have that name."""
    for reason in reasons_against(name, root):
        raise RefusedError(f"NAME={name} cannot be the name of a service: {reason}")


def reasons_against(name: str, root: Path) -> Iterator[str]:
    """The reasons why no service can have that name; none if one can."""
    if not _NAME.fullmatch(name):
        yield "use lower-case letters and digits, a letter first, such as billing"
    if len(name) > LONGEST:
        yield f"it has {len(name)} letters, and AWS's names of its functions leave room for {LONGEST}"
    if name in RESERVED:
        yield f"{RESERVED[name]}; choose another"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        yield "it is a keyword of Python; choose another"
    if name in sys.stdlib_module_names:
        yield "a module of Python's standard library has that name; choose another"
    if name in service_names(root):
        yield "there is a service of that name; choose another"
    yield from (f"{path.relative_to(root)} exists; choose another" for path in places(name, root) if path.exists())
    for other in service_names():
        paths = [route.name.rpartition(" ")[2] for route in routes_of(other)]
        yield from (f"{other} has the route {path}; choose another" for path in paths if is_under(path, f"/v1/{name}"))


def is_under(path: str, prefix: str) -> bool:
    """Whether a route's path is `prefix`, or begins with its segments."""
    return f"{path}/".startswith(f"{prefix}/")


def places(name: str, root: Path) -> list[Path]:
    """The files and folders that a service of that name has for itself."""
    return [
        root / "services" / name,
        root / "contracts" / name,
        root / "contracts" / f"{name}.py",
        root / "tests/services" / name,
        root / "verification/isolation/seeds" / f"{name}.py",
    ]

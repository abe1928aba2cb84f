"""`make new-event SERVICE=tasks EVENT=TaskArchived`: the model, the declaration, the golden examples and the test."""

import ast
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from contracts.event import ContractError
from deploy.generation import generate_all
from deploy.services import require_service

_WORD = re.compile(r"[A-Z][a-z0-9]*")
_TEST = '''"""{type}: what the service writes is what its golden examples say."""

import json
from pathlib import Path

import pytest

from chassis.testing.service import ServiceUnderTest
from contracts.{service}.v1 import {name}
from services.{service}.service import service

GOLDEN = Path(__file__).parents[3] / "contracts/golden" / {name}.event_type


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
async def test_it_is_published_as_its_golden_examples_are(path: Path) -> None:
    golden = json.loads(path.read_bytes())
    world = ServiceUnderTest(service)
    unit = world.scope().unit_of_work()
    unit.publish({name}.model_validate(golden["data"]), version=1)
    await unit.commit()
    [envelope] = await world.published_events({name})
    assert (envelope.type, envelope.subject, envelope.data) == (golden["type"], golden["subject"], golden["data"])
'''


@dataclass(frozen=True)
class NewEvent:
    """A new event: its service, and its name in the past tense (an entity and what happened to it)."""

    service: str
    name: str

    @property
    def words(self) -> list[str]:
        return [word.lower() for word in _WORD.findall(self.name)]

    @property
    def entity(self) -> str:
        return "_".join(self.words[:-1])

    @property
    def type(self) -> str:
        return f"{self.service}.{self.entity}.{self.words[-1]}.v1"

    @property
    def contract(self) -> Path:
        return Path(f"contracts/{self.service}/v1.py")

    @property
    def test(self) -> Path:
        return Path(f"tests/contracts/events/test_{self.service}_{'_'.join(self.words)}.py")


def create(service: str, name: str, root: Path) -> list[str]:
    """Write the files of a new event. Returns what to do next.

    Raises ContractError for an invalid name and for an existing event; DeployError for an unknown service.
    """
    event = NewEvent(require_service(service, root), name)
    if "".join(_WORD.findall(name)) != name or len(event.words) < 2:
        raise ContractError(
            f"EVENT={name} is not the name of an event; say what happened to what, such as TaskArchived"
        )
    contract, declaration = root / event.contract, root / "services" / service / "service.py"
    text = (
        contract.read_text(encoding="utf-8")
        if contract.exists()
        else f'"""Events of the {service} service, version 1."""\n'
    )
    if re.search(rf'^class {name}\(|type="{re.escape(event.type)}"', text, re.MULTILINE):
        raise ContractError(f"{event.contract}: {event.type} exists already; choose another name, or write version 2")
    package = contract.with_name("__init__.py")
    if not package.exists():
        package.parent.mkdir(parents=True)
        package.write_text(f'"""Events of the {service} service."""\n', encoding="utf-8")
    contract.write_text(_with_model(text, event, root), encoding="utf-8")
    declaration.write_text(_with_event(declaration.read_text(encoding="utf-8"), event), encoding="utf-8")
    test = root / event.test
    test.parent.mkdir(parents=True, exist_ok=True)
    test.write_text(_TEST.format(type=event.type, service=service, name=name), encoding="utf-8")
    _run(root, "ruff", "check", "--quiet", "--select", "I", "--fix", str(contract), str(declaration), str(test))
    _run(root, "ruff", "format", "--quiet", str(contract), str(declaration), str(test))
    generate_all(root, _run)
    return [
        f"{event.type} is declared, with golden examples in contracts/golden/{event.type} and a test in {event.test}.",
        f"Now say in {event.contract} what it means and add its fields, delete contracts/golden/{event.type} for the",
        "last time, run `make generate`, and publish it: unit.publish(..., version=saved.version).",
    ]


def _with_model(text: str, event: NewEvent, root: Path) -> str:
    kind = "".join(word.title() for word in event.words[:-1]) + "Id"
    known = re.search(rf"^{kind} = ", (root / "contracts/common.py").read_text(encoding="utf-8"), re.MULTILINE)
    imports = ["from contracts.event import Event", *([f"from contracts.common import {kind}"] if known else [])]
    entity, fact = event.entity.replace("_", " "), event.words[-1]
    model = (
        f'\n\nclass {event.name}(Event, type="{event.type}", subject="{event.entity}_id"):\n'
        f'    """The {entity} was {fact}. Say here what that means to others, and who acts on it."""\n\n'
        f"    {event.entity}_id: {kind if known else 'str'}\n"
    )
    return _with_imports(text, imports).rstrip("\n") + "\n" + model


def _with_imports(text: str, imports: list[str]) -> str:
    """The code with imports after the docstring; ruff sorts and merges them."""
    tree = ast.parse(text)
    lines = text.splitlines()
    present = {
        f"from {node.module} import {alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    docstring = tree.body[0].end_lineno or 1
    new = [line for line in imports if line.partition(" as ")[0] not in present]
    return "\n".join([*lines[:docstring], "", *new, *lines[docstring:]]) + "\n"


def _with_event(text: str, event: NewEvent) -> str:
    """The declaration with the event in `publishes`, named in the way of the others."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    call = next((each for each in calls if isinstance(each.func, ast.Name) and each.func.id == "Service"), None)
    if call is None:
        raise ContractError(f"services/{event.service}/service.py declares no Service; declare one")
    present = next((keyword.value for keyword in call.keywords if keyword.arg == "publishes"), None)
    by_name = isinstance(present, ast.Tuple) and any(isinstance(each, ast.Name) for each in present.elts)
    member = event.name if by_name else f"{event.service}.{event.name}"
    if by_name:
        needed = f"from contracts.{event.service}.v1 import {event.name}"
    else:
        needed = f"from contracts.{event.service} import v1 as {event.service}"
    last = present.elts[-1] if isinstance(present, ast.Tuple) and present.elts else call.keywords[-1]
    addition = f", {member}" if last is not call.keywords[-1] else f", publishes=({member},)"
    lines = text.splitlines()
    at = (last.end_lineno or 1) - 1
    column = len(lines[at].encode()[: last.end_col_offset].decode())
    lines[at] = lines[at][:column] + addition + lines[at][column:]
    return _with_imports("\n".join(lines) + "\n", [needed])


def _run(root: Path, module: str, *arguments: str) -> None:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()
        raise ContractError(f"{module} {arguments[0]} failed: {reason[-1] if reason else 'without a word'}")

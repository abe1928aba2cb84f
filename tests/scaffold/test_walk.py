"""docs/new-service.md, carried out in a copy of the repository, command by command."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded.ports import free_port
from deploy.local.status import Status
from deploy.local.supervisor_client import ask
from deploy.stage.environment import Options, environment_of
from deploy.template import platform_template, render
from tests.scaffold.scratch import ROOT, Checkout, commands

pytestmark = [pytest.mark.slow, pytest.mark.ministack]
SHOWS = {
    "make test": " passed",
    "make isolation": "billing ",
    "make call CALL=/v1/billing/entries METHOD=POST": '"text": "Terms agreed"',
    "make call CALL=/v1/billing/entries": "The plan changed from free to starter.",
    "make deploy-service": "billing: deployed",
    "make status": "billing",
}
"""The output of a command, by its longest beginning here. A command that reads is repeated until it prints that."""
GENERATED = ("docs/", "contracts/history.json", "contracts/permissions.py")
EVENTUALLY = 30.0


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    copy = Checkout.copy(tmp_path / "house", TENFOLD_STATE=str(tmp_path / "state"), TENFOLD_PORT=str(free_port()))
    yield copy
    copy.shell("make down")


@pytest.mark.timeout(900)
def test_every_command_of_the_walk_does_what_the_document_says(checkout: Checkout, tmp_path: Path) -> None:
    seconds: dict[str, float] = {}
    options = ""
    for command in commands(ROOT / "docs/new-service.md"):
        if command.startswith("make deploy-service"):
            options = f" ENDPOINT={stage_in(tmp_path / 'state')}"
        start = time.monotonic()
        output = carry_out(checkout, command, options)
        seconds[command] = time.monotonic() - start
        expected = SHOWS.get(max((key for key in SHOWS if command.startswith(key)), key=len, default=""), "")
        assert expected in output, f"{command}\n{output}"
    changed = checkout.git("diff", "--name-only", "HEAD").split()
    assert all(path.startswith(GENERATED) for path in changed), changed
    print(*(f"{spent:6.1f} s  {command}" for command, spent in seconds.items()), sep="\n")


def carry_out(checkout: Checkout, command: str, options: str) -> str:
    """Returns what the command prints. One that reads is repeated for a while until it shows what it should."""
    deadline = time.monotonic() + (EVENTUALLY if command == "make call CALL=/v1/billing/entries" else 0)
    while True:
        done = checkout.shell(command + options)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        if time.monotonic() > deadline or SHOWS.get(command, "") in done.stdout:
            return done.stdout + done.stderr


def stage_in(state: Path) -> str:
    """Make a stage `dev` without services in the embedded AWS that runs there. Returns the address of that AWS."""
    status = Status.read(state)
    assert status is not None
    endpoint: str = ask(status.base_url, "/status")["endpoint_url"]
    dev = environment_of(Options("dev", endpoint))
    dev.stacks.deploy(dev.platform_stack, render(platform_template(dev.target)))
    return endpoint


def test_a_new_service_keeps_the_architecture(tmp_path: Path) -> None:
    checkout = Checkout.copy(tmp_path / "house")
    checkout.run("make", "--silent", "new-service", "NAME=billing")
    own = "services/billing contracts/billing tests/services/billing verification/isolation/seeds/billing.py"
    for check in ("anatomy billing", f"language {own}"):
        done = checkout.shell(f".venv/bin/python -m tests.architecture.{check}")
        assert done.returncode == 0, f"{check}\n{done.stdout}{done.stderr}"


def test_an_impossible_name_is_refused_in_one_line_and_writes_nothing(tmp_path: Path) -> None:
    checkout = Checkout.copy(tmp_path / "house")
    for name, reason in {
        "Billing": "use lower-case letters and digits",
        "tasks": "there is a service of that name",
        "projects": "tasks has the route /v1/projects",
    }.items():
        done = checkout.run("make", "--silent", "new-service", f"NAME={name}", check=False)
        assert done.returncode == 2, done.stdout
        [line, *makes] = done.stderr.strip().splitlines()
        assert line.startswith(f"NAME={name} cannot be the name of a service: {reason}"), line
        assert all(each.startswith("make") for each in makes), makes  # make[1] below another one
    assert checkout.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("template", "right", "wrong", "reason"),
    [
        ("contracts/NAME/v1.py", 'subject="entry_id"', 'subject="nothing"', "'nothing' is not one of its fields"),
        ("services/NAME/permissions.py", '"$name.entry.list"', '"$name.entry.lost"', "$name.entry.list"),
    ],
)
def test_what_fails_half_way_leaves_nothing(tmp_path: Path, template: str, right: str, wrong: str, reason: str) -> None:
    checkout = Checkout.copy(tmp_path / "house")
    path = checkout.folder / f"deploy/scaffold/templates/{template}.tmpl"
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong))
    checkout.git("commit", "--quiet", "--all", "--message", "a template with a mistake")
    done = checkout.run("make", "--silent", "new-service", "NAME=billing", check=False)
    assert done.returncode == 2
    assert reason.replace("$name", "billing") in done.stderr
    assert checkout.git("status", "--porcelain") == ""


def test_the_longest_name_fits_the_longest_stage(tmp_path: Path) -> None:
    checkout = Checkout.copy(tmp_path / "house")
    checkout.run("make", "--silent", "new-service", f"NAME={'a' * 18}")
    script = (
        "import json; from deploy.stage.stage import synthesize; from deploy.template import Target; "
        f"plan = synthesize(Target('s' * 12, lambdas=True, aliases=True), only=['{'a' * 18}']); "
        "print(json.dumps(sorted(plan.templates)))"
    )
    done = checkout.run(".venv/bin/python", "-c", script)
    assert "a" * 18 in json.loads(done.stdout)

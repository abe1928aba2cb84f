"""docs/new-service.md, carried out in a copy of the repository, command by command."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.ports import free_port
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
"""What the longest of these that a command begins with makes it print. Reading is repeated until it does."""
GENERATED = ("docs/", "contracts/history.json", "contracts/permissions.py")
EVENTUALLY = 30.0


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout.copied(tmp_path / "house", TENFOLD_STATE=str(tmp_path / "state"), TENFOLD_PORT=str(free_port()))
    yield made
    made.shell("make down")


@pytest.mark.timeout(900)
def test_the_walk_goes_as_it_is_written(checkout: Checkout, tmp_path: Path) -> None:
    took: dict[str, float] = {}
    options = ""
    for command in commands(ROOT / "docs/new-service.md"):
        if command.startswith("make deploy-service"):
            options = f" ENDPOINT={stage_in(tmp_path / 'state')}"
        start = time.monotonic()
        said = carried_out(checkout, command, options)
        took[command] = time.monotonic() - start
        wanted = SHOWS.get(max((key for key in SHOWS if command.startswith(key)), key=len, default=""), "")
        assert wanted in said, f"{command}\n{said}"
    changed = checkout.git("diff", "--name-only", "HEAD").split()
    assert all(path.startswith(GENERATED) for path in changed), changed
    print(*(f"{seconds:6.1f} s  {command}" for command, seconds in took.items()), sep="\n")


def carried_out(checkout: Checkout, command: str, options: str) -> str:
    """What it prints. What reads is repeated for a while until it shows what it should."""
    deadline = time.monotonic() + (EVENTUALLY if command == "make call CALL=/v1/billing/entries" else 0)
    while True:
        done = checkout.shell(command + options)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        if time.monotonic() > deadline or SHOWS.get(command, "") in done.stdout:
            return done.stdout + done.stderr


def stage_in(state: Path) -> str:
    """A stage `dev` without services in the embedded AWS that runs there; returns the address of that."""
    status = Status.read(state)
    assert status is not None
    endpoint: str = ask(status.base_url, "/status")["endpoint_url"]
    dev = environment_of(Options("dev", endpoint))
    dev.stacks.deploy(dev.platform_stack, render(platform_template(dev.target)))
    return endpoint


def test_what_cannot_be_is_one_line_and_writes_nothing(tmp_path: Path) -> None:
    checkout = Checkout.copied(tmp_path / "house")
    for name, reason in {
        "Billing": "use lower-case letters and digits",
        "2nd": "use lower-case letters and digits",
        "bill-ing": "use lower-case letters and digits",
        "tasks": "there is a service of that name",
        "platform": "the stack of what all services share has that name",
        "json": "a module of Python's standard library has that name",
        "class": "it is a word of Python",
        "event": "contracts/event.py is there",
        "projects": "tasks has the route /v1/projects",
        "a" * 19: "it has 19 letters, and more than 18",
    }.items():
        done = checkout.run("make", "--silent", "new-service", f"NAME={name}", check=False)
        assert done.returncode == 2, done.stdout
        [line, *makes] = done.stderr.strip().splitlines()
        assert line.startswith(f"NAME={name} can be no service: {reason}"), line
        assert all(each.startswith("make") for each in makes), makes  # make[1] below another one
    assert checkout.git("status", "--porcelain") == ""


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    checkout = Checkout.copied(tmp_path / "house")
    seed = checkout.folder / "deploy/scaffold/templates/contracts/NAME/v1.py.tmpl"
    seed.write_text(seed.read_text().replace('subject="entry_id"', 'subject="nothing"'))
    checkout.git("commit", "--quiet", "--all", "--message", "a template that cannot be")
    done = checkout.run("make", "--silent", "new-service", "NAME=billing", check=False)
    assert done.returncode == 2
    assert "subject 'nothing' is not one of its fields" in done.stderr
    assert checkout.git("status", "--porcelain") == ""


def test_the_longest_name_fits_the_longest_stage(tmp_path: Path) -> None:
    checkout = Checkout.copied(tmp_path / "house")
    checkout.run("make", "--silent", "new-service", f"NAME={'a' * 18}")
    script = (
        "import json; from deploy.stage.stage import synthesize; from deploy.template import Target; "
        f"plan = synthesize(Target('s' * 12, lambdas=True, aliases=True), only=['{'a' * 18}']); "
        "print(json.dumps(sorted(plan.templates)))"
    )
    done = checkout.run(".venv/bin/python", "-c", script)
    assert "a" * 18 in json.loads(done.stdout)

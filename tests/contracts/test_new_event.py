"""A new event in five minutes: the generated code passes every check without changes."""

import pytest

from tests.contracts.scratch import Checkout

pytestmark = pytest.mark.slow


def tool(checkout: Checkout, *arguments: str) -> None:
    done = checkout.python("-m", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("service", "name", "event_type"),
    [
        ("tasks", "TaskArchived", "tasks.task.archived.v1"),  # declares its events by module
        ("identity", "PasswordReset", "identity.password.reset.v1"),  # by name; its entity has no id of its own
        ("notify", "DigestEmailSent", "notify.digest_email.sent.v1"),  # has published nothing so far
    ],
)
def test_a_new_event_passes_the_checks(checkout: Checkout, service: str, name: str, event_type: str) -> None:
    done = checkout.run("new-event", service, name)
    assert done.returncode == 0, done.stderr
    test = next((checkout.folder / "tests/contracts/events").glob("test_*.py")).relative_to(checkout.folder)
    touched = [f"contracts/{service}/v1.py", f"services/{service}/service.py", str(test)]
    tool(checkout, "ruff", "check", *touched)
    tool(checkout, "ruff", "format", "--check", *touched)
    tool(checkout, "deploy", "contracts", "generate", "--check")
    tool(checkout, "deploy", "permissions", "--check")
    tool(checkout, "deploy", "costs", "--check")
    tool(checkout, "contracts.schemas", "--check")
    tool(checkout, "pytest", "-q", str(test))
    golden = {path.stem for path in (checkout.folder / "contracts/golden" / event_type).iterdir()}
    assert golden == {"minimal", "full", "odd"}
    done = checkout.run("check")
    assert f"safe      {event_type}: added\n0 breaking, 0 risky, 1 safe since" in done.stdout
    assert f"### {event_type}" in (checkout.folder / "docs/events.md").read_text()


def test_it_is_typed(checkout: Checkout) -> None:
    assert checkout.run("new-event", "tasks", "TaskArchived").returncode == 0
    tool(
        checkout,
        "mypy",
        "--cache-dir",
        str(checkout.folder / ".mypy"),
        "contracts/tasks/v1.py",
        "services/tasks/service.py",
    )


@pytest.mark.parametrize(
    ("service", "name", "reason"),
    [
        ("shop", "TaskArchived", "there is no service 'shop'; the services are analytics, audit"),
        ("tasks", "Archived", "EVENT=Archived is not the name of an event"),
        ("tasks", "taskArchived", "EVENT=taskArchived is not the name of an event"),
        ("tasks", "TaskAssigned", "contracts/tasks/v1.py: tasks.task.assigned.v1 exists already"),
    ],
)
def test_an_impossible_event_is_one_line(checkout: Checkout, service: str, name: str, reason: str) -> None:
    done = checkout.run("new-event", service, name)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(reason)
    assert checkout.git("status", "--porcelain") == ""

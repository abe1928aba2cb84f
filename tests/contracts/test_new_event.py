"""A new event in five minutes: what the generator writes passes every check as it is."""

import pytest

from tests.contracts.scratch import House

pytestmark = pytest.mark.slow


def tool(house: House, *arguments: str) -> None:
    done = house.python("-m", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("service", "name", "event_type"),
    [
        ("tasks", "TaskArchived", "tasks.task.archived.v1"),  # declares its events by module
        ("identity", "PasswordReset", "identity.password.reset.v1"),  # by name; its entity has no id of its own
        ("notify", "DigestEmailSent", "notify.digest_email.sent.v1"),  # has published nothing so far
    ],
)
def test_a_new_event_passes_the_checks(house: House, service: str, name: str, event_type: str) -> None:
    done = house.run("new-event", service, name)
    assert done.returncode == 0, done.stderr
    test = next((house.folder / "tests/contracts/events").glob("test_*.py")).relative_to(house.folder)
    touched = [f"contracts/{service}/v1.py", f"services/{service}/service.py", str(test)]
    tool(house, "ruff", "check", *touched)
    tool(house, "ruff", "format", "--check", *touched)
    tool(house, "deploy", "contracts", "generate", "--check")
    tool(house, "contracts.schemas", "--check")
    tool(house, "pytest", "-q", str(test))
    golden = {path.stem for path in (house.folder / "contracts/golden" / event_type).iterdir()}
    assert golden == {"minimal", "full", "odd"}
    done = house.run("check")
    assert f"safe      {event_type}: added\n0 breaking, 0 risky, 1 safe since" in done.stdout
    assert f"### {event_type}" in (house.folder / "docs/events.md").read_text()


def test_it_is_typed(house: House) -> None:
    assert house.run("new-event", "tasks", "TaskArchived").returncode == 0
    tool(
        house, "mypy", "--cache-dir", str(house.folder / ".mypy"), "contracts/tasks/v1.py", "services/tasks/service.py"
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
def test_what_cannot_be_is_one_line(house: House, service: str, name: str, reason: str) -> None:
    done = house.run("new-event", service, name)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(reason)
    assert house.git("status", "--porcelain") == ""

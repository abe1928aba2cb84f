"""`make contracts` reports manual changes, and files that it cannot read."""

from pathlib import Path

import pytest

from tests.contracts.scratch import Checkout

CONSUMERS = "services/notify/notifications/consumers.py"
READS = "services/notify/notifications/reads.py"
ASSIGNED = '    title: str\n    status: TaskStatus\n    """The status at the time'


def line_of(checkout: Checkout, path: str, text: str) -> int:
    return next(n for n, line in enumerate((checkout.folder / path).read_text().splitlines(), 1) if text in line)


def test_nothing_changed(checkout: Checkout) -> None:
    done = checkout.run("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 breaking, 0 risky, 0 safe since the last commit." in done.stdout
    assert "tasks.task.assigned.v1: project_id, priority" in done.stdout


def test_a_removed_field_names_the_consumers_the_handlers_and_the_field(checkout: Checkout) -> None:
    checkout.edit("contracts/tasks/v1.py", ASSIGNED, ASSIGNED.replace("    title: str\n", ""))
    done = checkout.run("check", "--base", "main")
    line = line_of(checkout, CONSUMERS, "async def on_assigned")
    assert done.returncode == 1
    assert (
        "breaking  tasks.task.assigned.v1: field title removed (consumers: breaking, producers: safe) "
        f"— breaks notify ({CONSUMERS}:{line} on_assigned)\n"
    ) in done.stdout
    assert "or publish it as tasks.task.assigned.v2 (contracts/tasks/v2.py)" in done.stdout


def test_an_id_with_another_pattern_breaks_only_those_that_are_deployed(checkout: Checkout) -> None:
    checkout.edit(
        "contracts/common.py", 'UserId = Annotated[str, _id("user")]', 'UserId = Annotated[str, _id("person")]'
    )
    done = checkout.run("check")
    assert done.returncode == 1
    assert "field assignee_id pattern ^person_" in done.stdout
    assert "count_assigned, as of the base revision), notify (" in done.stdout


def test_a_removed_event_names_its_consumers(checkout: Checkout) -> None:
    checkout.edit("contracts/tasks/v1.py", "class CommentAdded(", "class CommentMade(")
    checkout.edit("contracts/tasks/v1.py", "tasks.comment.added.v1", "tasks.comment.made.v1")
    done = checkout.run("check")
    assert done.returncode == 1
    line = line_of(checkout, CONSUMERS, "async def on_commented")
    assert (
        "breaking  tasks.comment.added.v1: deleted (consumers: breaking, producers: breaking) "
        f"— breaks notify ({CONSUMERS}:{line} on_commented, as of the base revision)\n"
    ) in done.stdout
    line = line_of(checkout, READS, "class Commented")
    assert f"{READS}:{line}: module 'contracts.tasks.v1' has no attribute 'CommentAdded'" in done.stderr


def test_a_consumer_that_asks_for_too_much_is_named(checkout: Checkout) -> None:
    checkout.edit(READS, "    task_title: str\n", "    task_title: str\n    colour: str\n")
    done = checkout.run("check")
    assert done.returncode == 1
    assert (
        "breaking  tasks.comment.added.v1: field colour is not in the contract — breaks notify (services/"
        in done.stdout
    )


def test_safe_changes_pass(checkout: Checkout) -> None:
    checkout.edit("contracts/tasks/v1.py", ASSIGNED, ASSIGNED.replace("at the time", "at the moment"))
    checkout.edit("contracts/tasks/v1.py", "    text: str\n", "    text: str\n    colour: str | None = None\n")
    done = checkout.run("check")
    assert done.returncode == 0
    assert "safe      tasks.comment.added.v1: field colour added" in done.stdout
    assert "0 breaking, 0 risky, 2 safe" in done.stdout


def spoil(checkout: Checkout, path: str, text: str) -> None:
    (checkout.folder / path).write_text(text)
    checkout.commit()


def test_a_schema_that_is_not_json(checkout: Checkout) -> None:
    spoil(checkout, "contracts/schemas/tasks.task.assigned.v1.json", "{")
    assert_one_line(checkout, "contracts/schemas/tasks.task.assigned.v1.json is not JSON (")


@pytest.mark.parametrize("text", ["[]", '"text"', "{}", '{"x-type": "tasks.task.assigned.v1", "properties": []}'])
def test_a_file_that_is_not_a_schema(checkout: Checkout, text: str) -> None:
    spoil(checkout, "contracts/schemas/tasks.task.assigned.v1.json", text)
    assert_one_line(checkout, "contracts/schemas/tasks.task.assigned.v1.json is no")


def test_a_schema_under_another_name(checkout: Checkout) -> None:
    folder = checkout.folder / "contracts/schemas"
    (folder / "tasks.task.created.v1.json").write_text((folder / "tasks.task.assigned.v1.json").read_text())
    checkout.commit()
    assert_one_line(checkout, "contracts/schemas/tasks.task.created.v1.json describes tasks.task.assigned.v1")


def test_a_document_that_is_not_ours(checkout: Checkout) -> None:
    spoil(checkout, "docs/asyncapi/notify.json", '{"operations": {"x": {}}}')
    assert_one_line(checkout, "docs/asyncapi/notify.json is no")


def test_a_base_that_does_not_exist(checkout: Checkout) -> None:
    done = checkout.run("check", "--base", "origin/nothing")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("the base origin/nothing does not exist in this clone; name another (BASE=")


def test_a_type_that_two_contracts_have(checkout: Checkout) -> None:
    checkout.edit("contracts/tasks/v1.py", "tasks.comment.added.v1", "tasks.task.assigned.v1")
    assert_one_line(checkout, "contracts.tasks.v1: CommentAdded has the type tasks.task.assigned.v1, which already")


def test_a_consumer_of_an_unknown_event(checkout: Checkout) -> None:
    consumers = "services/tasks/imports/consumers.py"
    checkout.edit(consumers, "tasks.ImportRequested", "tasks.ImportDreamt")
    done = checkout.run("check")
    assert done.returncode == 2
    place = f"{consumers}:{line_of(checkout, consumers, 'ImportDreamt')}"
    assert done.stderr.startswith(f"{place}: module 'contracts.tasks.v1' has no attribute")
    assert done.stderr.count("\n") == 1


def test_a_version_that_skips_a_number(checkout: Checkout) -> None:
    text = (
        '"""Version 3."""\n\nfrom contracts.event import Event\n\n\n'
        'class CommentAdded(Event, type="tasks.comment.added.v3", subject="comment_id"):\n'
        '    """A comment was added; there is no second version of this event."""\n\n    comment_id: str\n'
    )
    (checkout.folder / "contracts/tasks/v3.py").write_text(text)
    assert_one_line(
        checkout, "contracts/tasks/v3.py: tasks.comment.added.v3 skips a number; make it tasks.comment.added.v2"
    )


def test_a_contract_that_is_not_python(checkout: Checkout) -> None:
    checkout.edit("contracts/tasks/v1.py", "class CommentAdded(", "class class CommentAdded(")
    assert_one_line(checkout, "contracts/tasks/v1.py:")


def test_a_folder_without_git_is_compared_with_the_files_in_it(checkout: Checkout, tmp_path: Path) -> None:
    (checkout.folder / ".git").rename(tmp_path / "elsewhere")
    checkout.edit("contracts/tasks/v1.py", ASSIGNED, ASSIGNED.replace("    title: str\n", ""))
    assert checkout.run("check").returncode == 1
    done = checkout.run("check", "--base", "main")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def assert_one_line(checkout: Checkout, beginning: str) -> None:
    done = checkout.run("check")
    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith(beginning), done.stderr
    assert (done.stderr.count("\n"), done.stdout) == (1, "")

"""`make contracts`: its report on a manual change, and on files that it cannot read."""

from pathlib import Path

import pytest

from tests.contracts.scratch import House

ASSIGNED = '    title: str\n    status: TaskStatus\n    """When it was assigned'


def line_of(house: House, path: str, text: str) -> int:
    return next(n for n, line in enumerate((house.folder / path).read_text().splitlines(), 1) if text in line)


def test_nothing_changed(house: House) -> None:
    done = house.run("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 breaking, 0 risky, 0 safe since the last commit." in done.stdout
    assert "tasks.task.assigned.v1: project_id, priority" in done.stdout


def test_a_removed_field_names_the_consumers_the_handlers_and_the_field(house: House) -> None:
    house.edit("contracts/tasks/v1.py", ASSIGNED, ASSIGNED.replace("    title: str\n", ""))
    done = house.run("check", "--base", "main")
    line = line_of(house, "services/notify/consumers.py", "async def on_assigned")
    assert done.returncode == 1
    assert (
        "breaking  tasks.task.assigned.v1: field title removed (consumers: breaking, producers: safe) "
        f"— breaks notify (services/notify/consumers.py:{line} on_assigned)\n"
    ) in done.stdout
    assert "or publish it as tasks.task.assigned.v2 (contracts/tasks/v2.py)" in done.stdout


def test_an_id_with_another_pattern_breaks_only_those_that_are_deployed(house: House) -> None:
    house.edit("contracts/common.py", 'UserId = Annotated[str, _id("user")]', 'UserId = Annotated[str, _id("person")]')
    done = house.run("check")
    assert done.returncode == 1
    assert "field assignee_id pattern ^person_" in done.stdout
    assert "count_assigned, as of the base revision), notify (" in done.stdout


def test_a_removed_event_names_who_consumed_it(house: House) -> None:
    house.edit("contracts/tasks/v1.py", "class CommentAdded(", "class CommentMade(")
    house.edit("contracts/tasks/v1.py", "tasks.comment.added.v1", "tasks.comment.made.v1")
    done = house.run("check")
    assert done.returncode == 1
    line = line_of(house, "services/notify/consumers.py", "async def on_commented")
    assert (
        "breaking  tasks.comment.added.v1: deleted (consumers: breaking, producers: breaking) "
        f"— breaks notify (services/notify/consumers.py:{line} on_commented, as of the base revision)\n"
    ) in done.stdout
    line = line_of(house, "services/notify/reads.py", "class Commented")
    assert (
        f"services/notify/reads.py:{line}: module 'contracts.tasks.v1' has no attribute 'CommentAdded'" in done.stderr
    )


def test_a_consumer_that_asks_for_too_much_is_named(house: House) -> None:
    house.edit("services/notify/reads.py", "    task_title: str\n", "    task_title: str\n    colour: str\n")
    done = house.run("check")
    assert done.returncode == 1
    assert (
        "breaking  tasks.comment.added.v1: field colour is not in the contract — breaks notify (services/"
        in done.stdout
    )


def test_safe_changes_pass(house: House) -> None:
    house.edit("contracts/tasks/v1.py", ASSIGNED, ASSIGNED.replace("When it", "At the time it"))
    house.edit("contracts/tasks/v1.py", "    text: str\n", "    text: str\n    colour: str | None = None\n")
    done = house.run("check")
    assert done.returncode == 0
    assert "safe      tasks.comment.added.v1: field colour added" in done.stdout
    assert "0 breaking, 0 risky, 2 safe" in done.stdout


def spoil(house: House, path: str, text: str) -> None:
    (house.folder / path).write_text(text)
    house.commit()


def test_a_schema_that_is_not_json(house: House) -> None:
    spoil(house, "contracts/schemas/tasks.task.assigned.v1.json", "{")
    assert_one_line(house, "contracts/schemas/tasks.task.assigned.v1.json is not JSON (")


@pytest.mark.parametrize("text", ["[]", '"text"', "{}", '{"x-type": "tasks.task.assigned.v1", "properties": []}'])
def test_a_schema_that_is_no_schema(house: House, text: str) -> None:
    spoil(house, "contracts/schemas/tasks.task.assigned.v1.json", text)
    assert_one_line(house, "contracts/schemas/tasks.task.assigned.v1.json is no")


def test_a_schema_under_another_name(house: House) -> None:
    folder = house.folder / "contracts/schemas"
    (folder / "tasks.task.created.v1.json").write_text((folder / "tasks.task.assigned.v1.json").read_text())
    house.commit()
    assert_one_line(house, "contracts/schemas/tasks.task.created.v1.json describes tasks.task.assigned.v1")


def test_a_document_that_is_none_of_ours(house: House) -> None:
    spoil(house, "docs/asyncapi/notify.json", '{"operations": {"x": {}}}')
    assert_one_line(house, "docs/asyncapi/notify.json is not an AsyncAPI document of ours")


def test_a_base_that_does_not_exist(house: House) -> None:
    done = house.run("check", "--base", "origin/nothing")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("the base origin/nothing does not exist in this clone; name another (BASE=")


def test_a_type_that_two_contracts_have(house: House) -> None:
    house.edit("contracts/tasks/v1.py", "tasks.comment.added.v1", "tasks.task.assigned.v1")
    assert_one_line(house, "contracts.tasks.v1: CommentAdded has the type tasks.task.assigned.v1, which is that of")


def test_a_consumer_of_an_unknown_event(house: House) -> None:
    house.edit("services/tasks/consumers.py", "tasks.ImportRequested", "tasks.ImportDreamt")
    done = house.run("check")
    assert done.returncode == 2
    line = line_of(house, "services/tasks/consumers.py", "ImportDreamt")
    assert done.stderr.startswith(f"services/tasks/consumers.py:{line}: module 'contracts.tasks.v1' has no attribute")
    assert done.stderr.count("\n") == 1


def test_a_version_that_skips_a_number(house: House) -> None:
    text = (
        '"""Version 3."""\n\nfrom contracts.event import Event\n\n\n'
        'class CommentAdded(Event, type="tasks.comment.added.v3", subject="comment_id"):\n'
        '    """A comment was added, and nobody made the second version of this."""\n\n    comment_id: str\n'
    )
    (house.folder / "contracts/tasks/v3.py").write_text(text)
    assert_one_line(
        house, "contracts/tasks/v3.py: tasks.comment.added.v3 skips a number; make it tasks.comment.added.v2"
    )


def test_a_contract_that_is_not_python(house: House) -> None:
    house.edit("contracts/tasks/v1.py", "class CommentAdded(", "class class CommentAdded(")
    assert_one_line(house, "contracts/tasks/v1.py:")


def test_a_folder_without_git_is_compared_with_the_files_in_it(house: House, tmp_path: Path) -> None:
    (house.folder / ".git").rename(tmp_path / "elsewhere")
    house.edit("contracts/tasks/v1.py", ASSIGNED, ASSIGNED.replace("    title: str\n", ""))
    assert house.run("check").returncode == 1
    done = house.run("check", "--base", "main")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def assert_one_line(house: House, beginning: str) -> None:
    done = house.run("check")
    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith(beginning), done.stderr
    assert (done.stderr.count("\n"), done.stdout) == (1, "")

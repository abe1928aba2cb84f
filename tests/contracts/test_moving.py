"""A real event of the product gets a second version, in a copy of the house: the commands accompany each step."""

import pytest

from tests.contracts.scratch import House

pytestmark = pytest.mark.slow

OLD, NEW = "tasks.comment.added.v1", "tasks.comment.added.v2"
SECOND = '''"""Events of the tasks service, version 2."""

from typing import Any

from contracts.common import CommentId, TaskId, UserId
from contracts.event import Event
from contracts.versions import upcasts


class CommentAdded(Event, type="tasks.comment.added.v2", subject="comment_id"):
    """Somebody said something about a task. Notify tells whom it mentions; its author and words have other names."""

    comment_id: CommentId
    task_id: TaskId
    task_title: str
    author: UserId
    words: str
    mentioned_ids: list[UserId]


@upcasts("tasks.comment.added.v1", CommentAdded)
def from_first(data: dict[str, Any]) -> dict[str, Any]:
    kept = {name: data[name] for name in ("comment_id", "task_id", "task_title", "mentioned_ids")}
    return {**kept, "author": data["author_id"], "words": data["text"]}
'''


@pytest.fixture
def second(house: House) -> House:
    (house.folder / "contracts/tasks/v2.py").write_text(SECOND)
    return house


def move(house: House) -> None:
    """Notify reads the second version."""
    path = "services/notify/notifications/reads.py"
    house.edit(
        path,
        "from contracts.tasks import v1 as tasks\n",
        "from contracts.tasks import v1 as tasks\nfrom contracts.tasks import v2\n",
    )
    house.edit(path, "Reads[tasks.CommentAdded]", "Reads[v2.CommentAdded]")
    house.edit(path, "    author_id: UserId\n    text: str\n", "    author: UserId\n    words: str\n")
    use = house.folder / "services/notify/notifications/usecases/mentions.py"
    use.write_text(use.read_text().replace("event.author_id", "event.author").replace("event.text", "event.words"))


def test_a_second_version_is_no_breaking_change_and_the_first_must_stay_for_its_consumers(second: House) -> None:
    done = second.run("check")
    assert done.returncode == 0, done.stderr
    assert f"safe      {NEW}: added" in done.stdout
    assert f"{OLD} must stay for notify (services/notify/notifications/consumers.py:" in done.stdout
    assert "can go" not in done.stdout


def test_when_all_have_moved_the_first_can_go(second: House) -> None:
    move(second)
    done = second.run("check")
    assert done.returncode == 0, done.stdout
    assert f"{OLD} can go: nobody subscribes to it." in done.stdout


def test_who_moved_handles_all_that_was_ever_written(second: House) -> None:
    move(second)
    assert second.run("generate").returncode == 0
    done = second.run("mixed")
    assert done.returncode == 0, done.stdout + done.stderr
    second.edit("contracts/tasks/v2.py", '"words": data["text"]', '"words": data["words"]')
    done = second.run("mixed")
    assert done.returncode == 1
    assert (
        f"notify.mentions of the working tree cannot handle {OLD} (golden-odd) as of HEAD: data: {OLD} cannot be"
        in (done.stdout)
    )


def test_without_an_upcaster_the_events_of_before_are_lost_to_who_moved(second: House) -> None:
    text = SECOND[: SECOND.index("@upcasts")]
    (second.folder / "contracts/tasks/v2.py").write_text(text)
    move(second)
    done = second.run("check")
    assert done.returncode == 1
    assert f"breaking  {NEW}: no upcaster turns {OLD} into {NEW}" in done.stdout
    assert "Write the upcaster beside the model: contracts/tasks/v2.py." in done.stdout

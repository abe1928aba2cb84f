"""A real event of the product gets a second version, in a copy of the repository; the commands accompany each step."""

import pytest

from tests.contracts.scratch import Checkout

pytestmark = pytest.mark.slow

OLD, NEW = "tasks.comment.added.v1", "tasks.comment.added.v2"
SECOND = '''"""Events of the tasks service, version 2."""

from typing import Any

from contracts.common import CommentId, TaskId, UserId
from contracts.event import Event
from contracts.versions import upcasts


class CommentAdded(Event, type="tasks.comment.added.v2", subject="comment_id"):
    """A comment was added to a task. Notify informs the people it mentions; author and words have other names."""

    comment_id: CommentId
    task_id: TaskId
    task_title: str
    author: UserId
    words: str
    mentioned_ids: list[UserId]


@upcasts("tasks.comment.added.v1", CommentAdded)
def from_first(data: dict[str, Any]) -> dict[str, Any]:
    same = {name: data[name] for name in ("comment_id", "task_id", "task_title", "mentioned_ids")}
    return {**same, "author": data["author_id"], "words": data["text"]}
'''


@pytest.fixture
def second(checkout: Checkout) -> Checkout:
    (checkout.folder / "contracts/tasks/v2.py").write_text(SECOND)
    return checkout


def move(checkout: Checkout) -> None:
    """Notify reads the second version."""
    path = "services/notify/notifications/reads.py"
    checkout.edit(
        path,
        "from contracts.tasks import v1 as tasks\n",
        "from contracts.tasks import v1 as tasks\nfrom contracts.tasks import v2\n",
    )
    checkout.edit(path, "Reads[tasks.CommentAdded]", "Reads[v2.CommentAdded]")
    checkout.edit(path, "    author_id: UserId\n    text: str\n", "    author: UserId\n    words: str\n")
    use = checkout.folder / "services/notify/notifications/usecases/mentions.py"
    use.write_text(use.read_text().replace("event.author_id", "event.author").replace("event.text", "event.words"))


def test_a_second_version_is_not_a_breaking_change_and_the_first_must_stay_for_its_consumers(second: Checkout) -> None:
    done = second.run("check")
    assert done.returncode == 0, done.stderr
    assert f"safe      {NEW}: added" in done.stdout
    assert f"{OLD} must stay for notify (services/notify/notifications/consumers.py:" in done.stdout
    assert "can go" not in done.stdout


def test_when_all_have_moved_the_first_can_go(second: Checkout) -> None:
    move(second)
    done = second.run("check")
    assert done.returncode == 0, done.stdout
    assert f"{OLD} can go: nobody subscribes to it." in done.stdout


def test_a_consumer_that_moved_handles_all_older_events(second: Checkout) -> None:
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


def test_without_an_upcaster_a_consumer_that_moved_loses_older_events(second: Checkout) -> None:
    text = SECOND[: SECOND.index("@upcasts")]
    (second.folder / "contracts/tasks/v2.py").write_text(text)
    move(second)
    done = second.run("check")
    assert done.returncode == 1
    assert f"breaking  {NEW}: no upcaster converts {OLD} to {NEW}" in done.stdout
    assert "Write the upcaster beside the model: contracts/tasks/v2.py." in done.stdout

"""Old consumers and new events, new consumers and old events: the code of both revisions runs."""

import subprocess

import pytest

from tests.contracts.scratch import ROOT, House

pytestmark = pytest.mark.slow


def base() -> str:
    """The revision to compare this checkout with: the main branch, or in a clone of one commit that commit."""
    for revision in ("origin/main", "HEAD"):
        command = ["git", "-C", str(ROOT), "rev-parse", "--quiet", "--verify", f"{revision}:contracts/golden"]
        if subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 0:
            return revision
    pytest.skip("this is not a git checkout")


def test_this_tree_and_its_base_go_together() -> None:
    done = House(ROOT).run("mixed", "--base", base())
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_only_adds_goes_together(house: House) -> None:
    house.edit("contracts/tasks/v1.py", "    text: str\n", "    text: str\n    colour: str | None = None\n")
    house.edit("services/notify/reads.py", "    text: str\n", "    text: str\n    colour: str | None = None\n")
    done = house.run("mixed")
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_old_consumer_that_cannot_read_the_new_event_is_named(house: House) -> None:
    house.edit("contracts/tasks/v1.py", "    text: str\n", "    words: str\n")
    house.edit("services/notify/reads.py", "    text: str\n", "    words: str\n")
    house.edit("services/notify/usecases/tell_mentioned.py", "event.text", "event.words")
    done = house.run("mixed")
    assert done.returncode == 1
    old = (
        "notify.mentions as of HEAD cannot handle tasks.comment.added.v1 (golden-full) of the working tree: data.text: "
    )
    new = (
        "notify.mentions of the working tree cannot handle tasks.comment.added.v1 (golden-odd) as of HEAD: data.words: "
    )
    assert old in done.stdout
    assert new in done.stdout


def test_a_handler_that_crashes_on_an_event_is_named(house: House) -> None:
    house.edit("services/analytics/consumers.py", "await usecases.count_assigned(", "await usecases.count_signed(")
    done = house.run("mixed")
    assert done.returncode == 1
    assert "analytics.figures of the working tree cannot handle tasks.task.assigned.v1" in done.stdout
    assert "AttributeError" in done.stdout


def test_a_base_that_does_not_exist_is_one_line(house: House) -> None:
    done = house.run("mixed", "--base", "v9.9")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("the base v9.9 does not exist in this clone")
    assert done.stderr.count("\n") == 1

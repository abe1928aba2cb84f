"""Golden events: every consumer handles each that was ever committed, and none was ever edited."""

import json
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from contracts.catalog import load_all
from contracts.versions import UPCASTERS
from deploy.contracts import golden
from deploy.contracts.consume import consume
from deploy.contracts.declarations import GOLDEN
from deploy.services import service_names
from tests.contracts.planted import event as schema_of
from tests.contracts.scratch import ROOT, Checkout

EVENTS = {path: golden.read(path) for path in sorted((ROOT / GOLDEN).rglob("*.json"))}


def edited_files(folder: Path) -> list[str]:
    """Golden files that a commit in this clone's history changed or removed, or that differ from the last commit."""
    git = ["git", "-C", str(folder), "--no-pager"]
    places = ["--", "contracts/golden"]
    past = [*git, "log", "--diff-filter=MDRT", "--no-renames", "--format=", "--name-only", *places]
    now = [*git, "diff", "--diff-filter=MDRT", "--no-renames", "--name-only", "HEAD", *places]
    runs = [subprocess.run(one, capture_output=True, text=True, check=True, timeout=60) for one in (past, now)]
    return sorted({line for done in runs for line in done.stdout.splitlines() if line})


def test_there_are_a_minimal_a_full_and_an_odd_example_of_each_version() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for path in EVENTS:
        found[path.parent.name].add(path.stem)
    for event_type in load_all():
        assert found[event_type] >= {"minimal", "full", "odd"}, event_type


def test_each_is_valid_or_can_become_the_newest_version() -> None:
    known = load_all()
    for path, event in EVENTS.items():
        assert event["type"] == path.parent.name
        if event["type"] in known:
            known[event["type"]].model_validate(event["data"])
        else:
            assert event["type"] in UPCASTERS, f"{path}: its version is gone, and no upcaster is left"


def test_every_field_is_in_an_example() -> None:
    shown: dict[str, set[str]] = defaultdict(set)
    for event in EVENTS.values():
        shown[event["type"]] |= event["data"].keys()
    for event_type, contract in load_all().items():
        assert shown[event_type] >= contract.model_fields.keys(), event_type


async def test_every_consumer_handles_every_golden_event() -> None:
    assert await consume(list(service_names()), list(EVENTS.values())) == []


async def test_a_consumer_that_cannot_handle_one_is_reported() -> None:
    [path] = [path for path in EVENTS if (path.parent.name, path.stem) == ("tasks.task.assigned.v1", "full")]
    event = json.loads(path.read_bytes())
    event["data"]["title"] = 7
    failures = await consume(["notify", "analytics"], [event])
    assert [(one["consumer"], one["reason"].split(":")[0]) for one in failures] == [
        ("notify.assignments", "data.title")
    ]


def test_none_was_ever_edited() -> None:
    if subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], check=False, capture_output=True).returncode:
        pytest.skip("this is not a git checkout")
    assert edited_files(ROOT) == []


def test_an_edit_is_found_before_and_after_it_is_committed(checkout: Checkout) -> None:
    victim = "contracts/golden/tasks.task.assigned.v1/full.json"
    checkout.edit(victim, "user_", "user_x")
    assert edited_files(checkout.folder) == [victim]
    done = checkout.run("check")
    assert (done.returncode, f"breaking  {victim}: a golden example was edited" in done.stdout) == (1, True)
    checkout.commit()
    checkout.git("rm", "--quiet", "contracts/golden/tasks.task.assigned.v1/odd.json")
    checkout.commit()
    assert edited_files(checkout.folder) == [victim, "contracts/golden/tasks.task.assigned.v1/odd.json"]


def test_a_contract_that_grows_gets_a_fuller_example_beside_the_old(tmp_path: Path) -> None:
    before = {"shop.order.placed.v1": schema_of(id=str)}
    for path, text in golden.missing(before, tmp_path).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert golden.missing(before, tmp_path) == {}
    [(path, text)] = golden.missing(
        {"shop.order.placed.v1": schema_of(id=str, note=(str | None, None))}, tmp_path
    ).items()
    assert path.name == "full-2.json"
    assert "note" in json.loads(text)["data"]

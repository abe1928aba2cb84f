"""All services have one anatomy, and what deviates from it is named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import APIRouter
from pydantic import BaseModel

from chassis.declare.service import service
from chassis.http.route import Route
from chassis.work.repository import Aggregate, Page, Repository
from deploy.services import ROOT, service_names
from tests.architecture.anatomy import EXTRA, deviations, loaded_deviations


@pytest.mark.parametrize("name", service_names())
def test_a_service_has_the_one_anatomy(name: str) -> None:
    assert [str(each) for each in deviations(name)] == []


@pytest.mark.parametrize("name", service_names())
def test_no_route_returns_an_aggregate_and_repositories_have_their_names(name: str) -> None:
    assert [str(each) for each in loaded_deviations(name, service(name).load_router())] == []


def test_every_exception_is_there_and_has_its_reason() -> None:
    for path, reason in EXTRA.items():
        assert (ROOT / "services" / path).exists(), path
        assert len(reason) > 20, path


# --- what deviates is found

Edit = Callable[[Path], object]


def write(path: str, text: str) -> Edit:
    def edit(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)

    return edit


def append(path: str, text: str) -> Edit:
    return lambda folder: (folder / path).write_text((folder / path).read_text() + text)


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (write("helpers.py", ""), "tasks/helpers.py: belongs in a feature's folder, or into adapters/"),
        (write("tasks/helpers.py", ""), "tasks/tasks/helpers.py: is not one of a feature's files"),
        (write("tasks/inner/model.py", ""), "tasks/tasks/inner/model.py: lies too deep"),
        (write("bare/api.py", ""), "tasks/bare: has an api.py, but no schemas.py"),
        (lambda folder: (folder / "README.md").unlink(), "tasks: has no README.md"),
        (append("api.py", "\n\ndef more() -> None: ...\n"), "combines the features' routers, and does nothing else"),
        (
            write("odd/consumers.py", "from services.tasks.comments.usecases.comments import add\n"),
            "tasks/odd/consumers.py: line 1: import use cases as modules, not add by itself",
        ),
        (
            write("odd/usecases.py", "from contracts.tasks import v1 as events\n\nevents.TaskCreated()\n"),
            "tasks/odd/usecases.py: line 3: events.TaskCreated is made in model.py",
        ),
        (
            write("odd/usecases.py", "from contracts.tasks.v1 import TaskCreated\n\nTaskCreated()\n"),
            "tasks/odd/usecases.py: line 3: TaskCreated is made in model.py",
        ),
        (
            write("odd/reads.py", "Pages = Annotated[PageRequest, Depends()]\n"),
            "tasks/odd/reads.py: line 1: use chassis.http.schemas.Paged",
        ),
        (
            write("projects/reads.py", "import services.tasks.comments.model\n"),
            "features import each other in a circle",
        ),
    ],
)
def test_a_planted_deviation_is_found(tmp_path: Path, edit: Edit, found: str) -> None:
    folder = tmp_path / "services/tasks"
    shutil.copytree(ROOT / "services/tasks", folder, ignore=shutil.ignore_patterns("__pycache__"))
    assert deviations("tasks", tmp_path) == []
    edit(folder)
    assert any(found in str(each) for each in deviations("tasks", tmp_path)), deviations("tasks", tmp_path)


class Thing(Aggregate):
    name: str


class Box(BaseModel):
    things: list[Thing]


@pytest.mark.parametrize("returned", [Thing, Page[Thing], Box, dict[str, Box], Thing | None])
def test_an_aggregate_is_found_however_deep_it_lies(returned: type) -> None:
    router = APIRouter(route_class=Route)

    async def read_thing() -> object: ...

    read_thing.__annotations__["return"] = returned
    router.add_api_route("/things", read_thing)
    name = f"{Thing.__module__}.Thing"
    assert [each.what for each in loaded_deviations("tasks", router)] == [f"/things returns the aggregate {name}"]


def test_a_repository_with_another_name_is_found() -> None:
    odd = type("Things", (Repository,), {"__module__": "services.planted.things.repository"})
    assert [each.what for each in loaded_deviations("planted", APIRouter())] == [
        f"{odd.__module__}.Things: its name ends in Repository"
    ]

"""Responses show views: whether the route or the commit hands over what they are made from."""

from collections.abc import Callable
from typing import Any, Self

import pytest
from fastapi.exceptions import ResponseValidationError

from chassis.http.rendering import render, view_of
from chassis.http.route import Route
from chassis.http.schemas import View
from chassis.work.repository import Aggregate, Page


class Project(Aggregate):
    name: str
    secret: str = "s"


class ProjectView(View):
    title: str

    @classmethod
    def of(cls, project: Project) -> Self:
        return cls(title=project.name)


class Versioned(ProjectView):
    version: int = 7


WEB, APP = Project(id="proj_1", version=3, name="Web"), Project(id="proj_2", version=4, name="App")


def route_of(model: Any, method: str = "POST") -> Route:
    async def endpoint() -> None: ...

    return Route("/", endpoint, response_model=model, methods=[method])


def test_an_aggregate_is_rendered_as_the_view_that_is_made_of_it() -> None:
    assert render(route_of(ProjectView), WEB).body == b'{"title":"Web"}'


def test_a_view_is_rendered_as_it_is_with_the_same_bytes() -> None:
    assert render(route_of(ProjectView), ProjectView.of(WEB)).body == render(route_of(ProjectView), WEB).body


@pytest.mark.parametrize("make", [lambda project: project, ProjectView.of], ids=["aggregates", "views"])
def test_a_page_of_views_or_of_aggregates_is_rendered_as_views(make: Callable[[Project], Any]) -> None:
    page = Page(items=[WEB, APP], next="more").map(make)
    answer = render(route_of(Page[ProjectView]), page)
    assert answer.body == b'{"items":[{"title":"Web"},{"title":"App"}],"next":"more"}'


def test_the_tag_of_an_aggregate_has_its_version_whether_or_not_the_view_shows_it() -> None:
    assert render(route_of(ProjectView), WEB).headers["etag"].startswith('"3-')


def test_the_tag_of_a_view_has_the_version_that_it_shows() -> None:
    assert render(route_of(Versioned), Versioned.of(WEB)).headers["etag"].startswith('"7-')


def test_what_is_changed_and_has_no_version_has_no_tag_but_what_is_read_has() -> None:
    view = ProjectView.of(WEB)
    assert "etag" not in render(route_of(ProjectView), view).headers
    assert "-" not in render(route_of(ProjectView, "GET"), view).headers["etag"]


def test_a_model_without_of_shows_what_is_returned() -> None:
    assert view_of(Project, WEB) is WEB
    assert view_of(list[Project], [WEB]) == [WEB]
    assert view_of(None, WEB) is WEB


def test_a_result_that_the_route_does_not_declare_is_not_sent() -> None:
    with pytest.raises(ResponseValidationError):
        render(route_of(list[ProjectView]), "text")


def test_a_page_keeps_its_cursor_when_its_items_are_mapped() -> None:
    assert Page(items=[WEB], next="more").map(lambda project: project.name) == Page(items=["Web"], next="more")

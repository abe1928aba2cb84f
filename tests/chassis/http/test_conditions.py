"""Conditional requests: entity tags save repeated answers, and protect changes of outdated data."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from chassis.storage.table import Table
from chassis.testing.service import ServiceUnderTest
from tests.chassis.world import service

PROJECTS = "/v1/projects"
IF_MATCH, IF_NONE_MATCH = "If-Match", "If-None-Match"


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with ServiceUnderTest(service).client() as client:
        yield client


async def create_project(http: httpx.AsyncClient) -> tuple[str, str]:
    answer = await http.post(PROJECTS, json={"name": "Web"})
    return f"{PROJECTS}/{answer.json()['id']}", answer.headers["etag"]


async def rename(http: httpx.AsyncClient, path: str, tags: str, name: str = "App") -> int:
    return (await http.put(f"{path}/name", json={"name": name}, headers={IF_MATCH: tags})).status_code


async def test_the_tag_of_a_write_is_that_of_the_next_read(http: httpx.AsyncClient) -> None:
    path, tag = await create_project(http)
    assert (await http.get(path)).headers["etag"] == tag
    changed = await http.put(f"{path}/name", json={"name": "App"})
    assert changed.headers["etag"] == (await http.get(path)).headers["etag"] != tag


@pytest.mark.parametrize("tags", ["{0}", "W/{0}", "*", '"other", {0}', 'W/"x",{0} '])
async def test_an_unchanged_answer_is_not_sent_again(http: httpx.AsyncClient, tags: str) -> None:
    path, tag = await create_project(http)
    answer = await http.get(path, headers={IF_NONE_MATCH: tags.format(tag)})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)


async def test_a_changed_answer_is_sent(http: httpx.AsyncClient) -> None:
    path, tag = await create_project(http)
    await http.put(f"{path}/name", json={"name": "App"})
    assert (await http.get(path, headers={IF_NONE_MATCH: tag})).json()["name"] == "App"


async def test_a_missing_thing_has_no_tag(http: httpx.AsyncClient) -> None:
    assert (await http.get(f"{PROJECTS}/proj_x", headers={IF_NONE_MATCH: "*"})).status_code == 404
    assert await rename(http, f"{PROJECTS}/proj_x", "*") == 404


async def test_a_list_has_a_tag_too(http: httpx.AsyncClient) -> None:
    await create_project(http)
    tag = (await http.get(PROJECTS)).headers["etag"]
    assert (await http.get(PROJECTS, headers={IF_NONE_MATCH: tag})).status_code == 304
    await create_project(http)
    assert (await http.get(PROJECTS, headers={IF_NONE_MATCH: tag})).status_code == 200


@pytest.mark.parametrize("tags", ["{0}", "*", '"7-x", {0}'])
async def test_a_change_with_the_current_tag_is_made(http: httpx.AsyncClient, tags: str) -> None:
    path, tag = await create_project(http)
    assert await rename(http, path, tags.format(tag)) == 200


@pytest.mark.parametrize("tags", ["{0}", '"0-x"', '"x"', "W/{1}"])
async def test_a_change_with_an_outdated_tag_is_refused(http: httpx.AsyncClient, tags: str) -> None:
    path, old = await create_project(http)
    new = (await http.put(f"{path}/name", json={"name": "Two"})).headers["etag"]
    answer = await http.put(f"{path}/name", json={"name": "App"}, headers={IF_MATCH: tags.format(old, new)})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (412, "precondition-failed")
    assert (await http.get(path)).json()["name"] == "Two"


@pytest.mark.parametrize("tags", ["", "7", '"7', '"a" "b"', '*, "a"', '"a",', 'w/"a"'])
async def test_an_invalid_tag_is_named(http: httpx.AsyncClient, tags: str) -> None:
    path, _ = await create_project(http)
    assert await rename(http, path, tags) == 422
    answer = await http.get(path, headers={IF_NONE_MATCH: tags})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "header.if-none-match")


async def test_of_many_changes_of_one_version_one_succeeds(table: Table) -> None:
    async with ServiceUnderTest(service, table=table).client() as http:
        path, tag = await create_project(http)
        found = await asyncio.gather(*(rename(http, path, tag, f"n{number}") for number in range(20)))
        assert found.count(200) == 1
        assert set(found) <= {200, 409, 412}
        assert (await http.get(path)).json()["version"] == 2


async def test_a_repeated_request_is_answered_with_the_tag_of_its_first_try(http: httpx.AsyncClient) -> None:
    path, tag = await create_project(http)
    headers = {IF_MATCH: tag, "Idempotency-Key": "k"}
    answers = [await http.put(f"{path}/name", json={"name": "App"}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].headers["etag"] == answers[1].headers["etag"]

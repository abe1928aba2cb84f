"""Headers of every answer, and limits of requests."""

from collections.abc import AsyncIterator

import httpx
import pytest

from chassis.http.headers import SECURITY
from chassis.http.middleware import MAX_HEADERS
from chassis.tenants.organizations import OrganizationProfile, project
from chassis.testing.service import ServiceUnderTest
from tests.chassis.world import service

PROJECTS, SUGGESTIONS = "/v1/projects", "/v1/projects/suggestions"
ORIGIN, STRANGE = "https://app.acme.example", "https://evil.example"


@pytest.fixture
def world() -> ServiceUnderTest:
    return ServiceUnderTest(service)


@pytest.fixture
async def http(world: ServiceUnderTest) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", PROJECTS, 200),
        ("GET", "/v1/nowhere", 404),
        ("PATCH", PROJECTS, 405),
        ("POST", PROJECTS, 422),
        ("GET", f"{PROJECTS}/x/crash", 500),
        ("GET", "/health/live", 200),
    ],
)
async def test_every_answer_has_the_security_headers(
    http: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await http.request(method, path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["cache-control"] == "no-store"


async def test_the_documentation_page_may_load_its_resources(http: httpx.AsyncClient) -> None:
    assert (await http.get("/docs")).headers["content-security-policy"] == "frame-ancestors 'none'"


@pytest.mark.parametrize("headers", [{"X-Much": "x" * MAX_HEADERS}, {f"X-{n}": "y" * 1000 for n in range(20)}])
async def test_headers_that_are_too_large_are_refused(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await http.get(PROJECTS, headers=headers)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (431, "headers-too-large")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "status"), [(f"{PROJECTS}?colour=red&limit=5", 422), (f"{PROJECTS}?limit=5", 200), (PROJECTS, 200)]
)
async def test_an_unknown_query_parameter_is_named(http: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await http.get(path)
    assert answer.status_code == status
    if status == 422:
        assert [error["field"] for error in answer.json()["errors"]] == ["query.colour"]
        assert "cursor, limit" in answer.json()["detail"]


async def test_parameters_of_a_route_are_not_revealed_without_a_token(world: ServiceUnderTest) -> None:
    async with world.client(None) as http:
        assert (await http.get(f"{PROJECTS}?colour=red")).status_code == 401


# --- web pages


async def allow(world: ServiceUnderTest, *origins: str) -> None:
    profile = OrganizationProfile(id="org_acme", slug="acme", name="Acme", version=1, allowed_origins=origins)
    await project(world.scope(), profile)


async def test_a_preflight_is_answered_without_a_token(world: ServiceUnderTest) -> None:
    asked = {"Origin": STRANGE, "Access-Control-Request-Method": "PATCH"}
    async with world.client(None) as http:
        answer = await http.options(f"{PROJECTS}/proj_1", headers=asked)
        assert (await http.options(PROJECTS)).status_code == 405
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert {"authorization", "idempotency-key", "if-match"} <= set(
        answer.headers["access-control-allow-headers"].lower().split(", ")
    )
    assert "access-control-allow-credentials" not in answer.headers


async def test_an_allowed_origin_can_read_its_answer(world: ServiceUnderTest) -> None:
    await allow(world, ORIGIN)
    async with world.client() as http:
        for answer in (
            await http.post(PROJECTS, json={"name": "Web"}, headers={"Origin": ORIGIN}),
            await http.get(f"{PROJECTS}/proj_nothing", headers={"Origin": ORIGIN}),
        ):
            assert answer.headers["access-control-allow-origin"] == ORIGIN
            assert {"ETag", "Retry-After"} <= set(answer.headers["access-control-expose-headers"].split(", "))
            assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("allowed", [(), (ORIGIN,)])
async def test_another_origin_can_read_and_change_nothing(world: ServiceUnderTest, allowed: tuple[str, ...]) -> None:
    await allow(world, *allowed)
    async with world.client() as http:
        refused = await http.post(PROJECTS, json={"name": "Web"}, headers={"Origin": STRANGE})
        read = await http.get(PROJECTS, headers={"Origin": STRANGE})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (403, "origin-not-allowed")
    assert "access-control-allow-origin" not in {**refused.headers, **read.headers}
    assert read.json()["items"] == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", PROJECTS, 401),
        ("GET", "/v1/nowhere", 404),
        ("PUT", PROJECTS, 405),
        ("POST", SUGGESTIONS, 422),
        ("GET", f"{PROJECTS}/x/crash", 500),
    ],
)
async def test_every_origin_can_read_why_an_anonymous_request_is_refused(
    world: ServiceUnderTest, method: str, path: str, status: int
) -> None:
    world.public_origins = (ORIGIN,)
    async with world.client(None) as http:
        origin = ORIGIN if path in {SUGGESTIONS, f"{PROJECTS}/x/crash"} else STRANGE
        answer = await http.request(method, path, headers={"Origin": origin, "Authorization": "Bearer x"})
        unasked = await http.request(method, path, headers={"Authorization": "Bearer x"})
    assert (answer.status_code, unasked.status_code) == (status, status)
    assert answer.headers["access-control-allow-origin"] == (origin if origin == ORIGIN else "*")
    assert "Retry-After" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in unasked.headers


async def test_an_origin_is_allowed_by_one_organization_only(world: ServiceUnderTest) -> None:
    await allow(world, ORIGIN)
    async with world.client(org_id="org_other") as http:
        assert (await http.post(PROJECTS, json={"name": "Web"}, headers={"Origin": ORIGIN})).status_code == 403


async def test_the_api_s_own_origin_is_allowed(http: httpx.AsyncClient) -> None:
    headers = {"Origin": "http://test"}
    assert (await http.post(PROJECTS, json={"name": "Web"}, headers=headers)).status_code == 201


async def test_public_routes_allow_the_origins_of_the_stage(world: ServiceUnderTest) -> None:
    world.public_origins = (ORIGIN,)
    await allow(world, STRANGE)
    async with world.client(None) as http:
        good = await http.post(SUGGESTIONS, json={"name": "Web"}, headers={"Origin": ORIGIN})
        bad = await http.post(SUGGESTIONS, json={"name": "Web"}, headers={"Origin": STRANGE})
    assert (good.status_code, good.headers["access-control-allow-origin"]) == (201, ORIGIN)
    assert bad.status_code == 403

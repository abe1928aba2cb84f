"""CORS at the laptop's one base URL: a real service behind the gateway."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from chassis.http.app import make_app
from chassis.tenants.organizations import OrganizationProfile, project
from chassis.testing.service import ServiceUnderTest
from deploy.embedded.ports import HOST, free_port
from deploy.local.gateway import Gateway
from deploy.local.routes import RouteTable
from deploy.local.traces import TraceWriter
from tests.chassis.world import service

ORIGIN, PUBLIC, STRANGE = "https://app.acme.example", "https://tenfold.example", "https://evil.example"
PROJECTS, SUGGESTIONS = "/v1/projects", "/v1/projects/suggestions"
ALLOWED = "access-control-allow-origin"


async def ready() -> str | None:
    return None


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """With the token of somebody whose organization allows ORIGIN, on a stage that allows PUBLIC."""
    world, port, gate, routes = ServiceUnderTest(service), free_port(), free_port(), RouteTable()
    profile = OrganizationProfile(id="org_acme", slug="acme", name="Acme", version=1, allowed_origins=(ORIGIN,))
    await project(world.scope(), profile)
    world.public_origins = (PUBLIC,)
    app = make_app(service, world.api_state, ready)
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=port, log_config=None, lifespan="off"))
    routes.set("tasks", app.openapi())
    routes.set("stopped", {"paths": {"/v1/stopped": {}}})
    writer = TraceWriter(tmp_path / "traces.sqlite")
    gateway = Gateway(gate, routes, {"tasks": f"http://{HOST}:{port}"}.get, writer)
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.01)
        await gateway.start()
        async with world.client() as known:
            token = known.headers["Authorization"]
        headers = {"Authorization": token}
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{gate}", headers=headers, trust_env=False) as client:
            yield client
    finally:
        await gateway.stop()
        server.should_exit = True
        await serving


async def test_a_preflight_needs_no_token_and_no_origin_that_is_known(client: httpx.AsyncClient) -> None:
    del client.headers["Authorization"]
    asked = {"Origin": STRANGE, "Access-Control-Request-Method": "POST"}
    answer = await client.options(PROJECTS, headers=asked)
    assert (answer.status_code, answer.headers[ALLOWED]) == (204, "*")
    assert "Authorization" in answer.headers["access-control-allow-headers"]


async def test_a_page_that_is_allowed_reads_and_writes(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.post(PROJECTS, json={"name": "Web"}, headers={"Origin": ORIGIN}),
        await client.get(PROJECTS, headers={"Origin": ORIGIN}),
        await client.post(SUGGESTIONS, json={"name": "Web"}, headers={"Origin": PUBLIC}),
    ):
        assert (answer.is_success, answer.headers[ALLOWED]) == (True, answer.request.headers["Origin"])
        assert "ETag" in answer.headers["access-control-expose-headers"]


async def test_another_page_neither_reads_nor_writes(client: httpx.AsyncClient) -> None:
    refused = await client.post(PROJECTS, json={"name": "Web"}, headers={"Origin": STRANGE})
    read = await client.get(PROJECTS, headers={"Origin": STRANGE})
    assert (refused.status_code, read.json()["items"]) == (403, [])
    assert ALLOWED not in {**refused.headers, **read.headers}


async def test_the_gateways_own_page_writes(client: httpx.AsyncClient) -> None:
    answer = await client.post(PROJECTS, json={"name": "Web"}, headers={"Origin": str(client.base_url).rstrip("/")})
    assert answer.status_code == 201


@pytest.mark.parametrize(("path", "status"), [(PROJECTS, 401), ("/v1/nothing", 404), ("/v1/stopped", 503)])
async def test_every_page_reads_why_nothing_came(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(path, headers={"Origin": STRANGE, "Authorization": "Bearer x"})
    assert (answer.status_code, answer.headers[ALLOWED]) == (status, "*")
